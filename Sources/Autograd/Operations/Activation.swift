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

  /// The activation of each value, in the values' form.
  func callAsFunction(_ x: ProductFactor) -> ProductFactor {
    switch self {
    case .relu: x.mapped { $0.replacing(with: 0, where: $0 .< 0) }
    case .gelu: x.mapped { GELU.value($0) }
    case .tanhGELU: x.mapped { TanhGELU.value($0) }
    case .quickGELU: x.mapped { SigmoidLinear.value($0, slope: Activation.quickSlope) }
    case .silu: x.mapped { SigmoidLinear.value($0, slope: 1) }
    }
  }

  /// `dy` times the derivative at each value, in the form of x.
  func gradient(_ dy: ProductFactor, at x: ProductFactor) -> ProductFactor {
    switch self {
    case .relu: x.combined(with: dy) { x, dy in dy.replacing(with: 0, where: x .<= 0) }
    case .gelu: x.combined(with: dy) { x, dy in dy * GELU.derivative(x) }
    case .tanhGELU: x.combined(with: dy) { x, dy in dy * TanhGELU.derivative(x) }
    case .quickGELU:
      x.combined(with: dy) { x, dy in
        dy * SigmoidLinear.derivative(x, slope: Activation.quickSlope)
      }
    case .silu: x.combined(with: dy) { x, dy in dy * SigmoidLinear.derivative(x, slope: 1) }
    }
  }

  private static let quickSlope: Float = 1.702
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
      x.combined(with: activation(g)) { $0 * $1 }, shape: shape, from: [self, gate]
    ) { dy, gradients in
      gradients.addFactor(activation(g).combined(with: dy) { $0 * $1 }, to: xNode)
      gradients.addFactor(
        activation.gradient(x.combined(with: dy) { $0 * $1 }, at: g), to: gateNode)
    }
  }
}
