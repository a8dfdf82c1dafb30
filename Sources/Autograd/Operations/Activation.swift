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

  /// The activation of each value.
  func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .relu: x.mapped { $0.replacing(with: 0, where: $0 .< 0) }
    case .gelu: x.mapped(GELU.value)
    case .tanhGELU: x.mapped(TanhGELU.value)
    case .quickGELU: x.mapped { SigmoidLinear.value($0, slope: Activation.quickSlope) }
    case .silu: x.mapped { SigmoidLinear.value($0, slope: 1) }
    }
  }

  /// `dy` times the derivative at each value.
  func gradient(_ dy: Tensor, at x: Tensor) -> Tensor {
    switch self {
    case .relu: dy.combined(with: x) { dy, x in dy.replacing(with: 0, where: x .<= 0) }
    case .gelu: dy.combined(with: x) { dy, x in dy * GELU.derivative(x) }
    case .tanhGELU: dy.combined(with: x) { dy, x in dy * TanhGELU.derivative(x) }
    case .quickGELU:
      dy.combined(with: x) { dy, x in
        dy * SigmoidLinear.derivative(x, slope: Activation.quickSlope)
      }
    case .silu: dy.combined(with: x) { dy, x in dy * SigmoidLinear.derivative(x, slope: 1) }
    }
  }

  private static let quickSlope: Float = 1.702
}

extension Variable {
  /// The activation of each value. Pullback: `dx = dy · f'(x)`.
  /// - Returns: A variable of the receiver's shape.
  public func activated(_ activation: Activation) -> Variable {
    let x = value
    return .recording(activation(x), from: self) { dy in activation.gradient(dy, at: x) }
  }

  /// The values weighed by a gate, `y = x · f(g)`, as in gated feed-forwards (Shazeer 2020).
  ///
  /// Pullback: `dx = dy · f(g)`, `dg = dy · x · f'(g)`.
  /// - Parameter gate: `g`, of the receiver's shape.
  public func gated(by gate: Variable, _ activation: Activation) -> Variable {
    let (x, g) = (value, gate.value)
    let (xNode, gateNode) = (node, gate.node)
    return .recording(x * activation(g), from: [self, gate]) { dy, gradients in
      gradients.add(dy * activation(g), to: xNode)
      gradients.add(activation.gradient(dy * x, at: g), to: gateNode)
    }
  }
}
