import Autograd
import Tensors

/// `y = x · Wᵀ + b`.
public struct Linear: Module {
  /// `[outputs, inputs]`.
  public let weight: Parameter
  /// `[outputs]`.
  public let bias: Parameter

  /// How a new linear map's numbers are drawn.
  public enum Start {
    /// Weights N(0, deviation²), biases zero, as BERT and ViT have it.
    case normal(deviation: Float)
    /// Weights and biases uniform in ±1/√inputs, as the projections and heads of BLIP-2 have it.
    case uniform
  }

  public init(inputs: Int, outputs: Int, start: Start, _ initialiser: ParameterInitialiser) {
    switch start {
    case .normal(let deviation):
      weight = initialiser.normal([outputs, inputs], standardDeviation: deviation)
      bias = initialiser.constant([outputs], 0)
    case .uniform:
      let bound = 1 / Float(inputs).squareRoot()
      weight = initialiser.uniform([outputs, inputs], bound: bound)
      bias = initialiser.uniform([outputs], bound: bound, decays: false)
    }
  }

  public var members: [Member] { [.parameter("weight", weight), .parameter("bias", bias)] }

  /// - Parameters:
  ///   - x: `[..., inputs]`.
  ///   - forProducts: Whether only products read the result, which may then be bfloat16.
  /// - Returns: `[..., outputs]`.
  public func callAsFunction(_ x: Variable, forProducts: Bool = false) -> Variable {
    x.linear(weight.weight, bias: bias.variable, forProducts: forProducts)
  }

  /// The map followed by an activation.
  public func callAsFunction(
    _ x: Variable, then activation: Activation, forProducts: Bool = false
  ) -> Variable {
    x.linear(
      weight.weight, bias: bias.variable, activation: activation, forProducts: forProducts)
  }
}

/// `y = x · Wᵀ`, a linear map without bias.
public struct Projection: Module {
  /// `[outputs, inputs]`.
  public let weight: Parameter

  public init(inputs: Int, outputs: Int, deviation: Float, _ initialiser: ParameterInitialiser) {
    weight = initialiser.normal([outputs, inputs], standardDeviation: deviation)
  }

  public var members: [Member] { [.parameter("weight", weight)] }

  /// - Parameters:
  ///   - x: `[..., inputs]`.
  ///   - forProducts: Whether only products read the result, which may then be bfloat16.
  /// - Returns: `[..., outputs]`.
  public func callAsFunction(_ x: Variable, forProducts: Bool = false) -> Variable {
    x.linear(weight.weight, forProducts: forProducts)
  }

  /// The map followed by an activation.
  public func callAsFunction(
    _ x: Variable, then activation: Activation, forProducts: Bool = false
  ) -> Variable {
    x.linear(weight.weight, activation: activation, forProducts: forProducts)
  }
}
