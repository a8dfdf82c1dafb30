import Autograd
import Tensors

/// `y = x · Wᵀ + b`, or without b.
public struct Linear: Module {
  /// `[outputs, inputs]`.
  public let weight: Parameter
  /// `[outputs]`; nil where there is none.
  public let bias: Parameter?

  /// How a new linear map's numbers are drawn.
  public enum Start {
    /// Weights N(0, deviation²), biases zero, as BERT and ViT have it.
    case normal(deviation: Float)
    /// Weights and biases uniform in ±1/√inputs, as the projections and heads of BLIP-2 have it.
    case uniform
  }

  public init(
    inputs: Int, outputs: Int, hasBias: Bool = true, start: Start,
    _ initialiser: ParameterInitialiser
  ) {
    switch start {
    case .normal(let deviation):
      weight = initialiser.normal([outputs, inputs], standardDeviation: deviation)
      bias = hasBias ? initialiser.constant([outputs], 0) : nil
    case .uniform:
      let bound = 1 / Float(inputs).squareRoot()
      weight = initialiser.uniform([outputs, inputs], bound: bound)
      bias = hasBias ? initialiser.uniform([outputs], bound: bound, decays: false) : nil
    }
  }

  /// - Parameters:
  ///   - x: `[..., inputs]`.
  ///   - activation: What follows the map.
  ///   - inComputePrecision: Whether only products read the result, which may then be bfloat16.
  /// - Returns: `[..., outputs]`.
  public func callAsFunction(
    _ x: Variable, then activation: Activation? = nil, inComputePrecision: Bool = false
  ) -> Variable {
    x.linear(
      weight.weight, bias: bias?.variable, activation: activation,
      inComputePrecision: inComputePrecision)
  }
}
