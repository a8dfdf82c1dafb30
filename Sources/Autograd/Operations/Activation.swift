import Tensors

/// The activations of feed-forward blocks, by the names of public configurations.
public enum Activation: String, Sendable, CaseIterable {
  case relu
  /// The exact (erf) GELU.
  case gelu
  /// GELU's tanh approximation.
  case tanhGELU = "gelu_new"
  /// GELU's sigmoid approximation.
  case quickGELU = "quick_gelu"
  case silu

  /// Also the other names that some of them go by.
  public init?(publicName: String) {
    switch publicName {
    case "gelu_pytorch_tanh", "gelu_fast": self = .tanhGELU
    case "swish": self = .silu
    default: self.init(rawValue: publicName)
    }
  }

  var function: any UnaryFunction.Type {
    switch self {
    case .relu: ReLU.self
    case .gelu: GELU.self
    case .tanhGELU: TanhGELU.self
    case .quickGELU: QuickGELU.self
    case .silu: SiLU.self
    }
  }

  /// The activation of each value, in the values' form.
  func callAsFunction(_ x: Operand) -> Operand { x.mapped(by: function) }

  /// `dy` times the derivative at each value, in the form of x.
  func gradient(_ dy: Operand, at x: Operand) -> Operand {
    switch self {
    case .relu: x.combined(with: dy, by: GradientOf<ReLU>.self)
    case .gelu: x.combined(with: dy, by: GradientOf<GELU>.self)
    case .tanhGELU: x.combined(with: dy, by: GradientOf<TanhGELU>.self)
    case .quickGELU: x.combined(with: dy, by: GradientOf<QuickGELU>.self)
    case .silu: x.combined(with: dy, by: GradientOf<SiLU>.self)
    }
  }
}

/// A function with its derivative.
protocol DifferentiableFunction: UnaryFunction {
  static func derivative(_ x: Vector) -> Vector
  /// A derivative whose product is then rounded to bfloat16.
  static func roundedDerivative(_ x: Vector) -> Vector
}

extension DifferentiableFunction {
  @inline(__always)
  static func roundedDerivative(_ x: Vector) -> Vector { derivative(x) }
}

/// `dy · f'(x)` of pairs of x and dy.
private enum GradientOf<F: DifferentiableFunction>: BinaryFunction {
  @inline(__always)
  static func value(_ x: Vector, _ dy: Vector) -> Vector { dy * F.derivative(x) }

  @inline(__always)
  static func roundedValue(_ x: Vector, _ dy: Vector) -> Vector { dy * F.roundedDerivative(x) }
}

private enum ReLU: DifferentiableFunction {
  @inline(__always)
  static func value(_ x: Vector) -> Vector { x.replacing(with: 0, where: x .< 0) }

  @inline(__always)
  static func derivative(_ x: Vector) -> Vector {
    Vector(repeating: 1).replacing(with: 0, where: x .<= 0)
  }
}

private enum QuickGELU: SigmoidLinear {
  @inline(__always)
  static var slope: Float { 1.702 }
}

private enum SiLU: SigmoidLinear {
  @inline(__always)
  static var slope: Float { 1 }
}

extension Variable {
  /// The activation of each value. Pullback: `dx = dy · f'(x)`.
  /// - Returns: A variable of the receiver's shape.
  public func activated(_ activation: Activation) -> Variable {
    let x = kept
    return .recording(activation(x), shape: shape, from: [self]) { [node] dy, gradients in
      gradients.addFactor(activation.gradient(dy, at: x), to: node)
    }
  }

  /// The values weighed by a gate, `y = x · f(g)`, as in gated feed-forwards (Shazeer 2020).
  ///
  /// Pullback: `dx = dy · f(g)`, `dg = dy · x · f'(g)`.
  /// - Parameter gate: `g`, of the receiver's shape.
  public func gated(by gate: Variable, _ activation: Activation) -> Variable {
    let (x, g) = (kept, gate.kept)
    let (xNode, gateNode) = (node, gate.node)
    return .recording(
      x.combined(with: activation(g), by: Multiplication.self), shape: shape, from: [self, gate]
    ) { dy, gradients in
      gradients.addFactor(activation(g).combined(with: dy, by: Multiplication.self), to: xNode)
      gradients.addFactor(
        activation.gradient(x.combined(with: dy, by: Multiplication.self), at: g), to: gateNode)
    }
  }
}
