import Autograd
import Tensors

/// A norm over the last axis.
public protocol RowNorm: Module {
  init(width: Int, epsilon: Float, _ initialiser: ParameterInitialiser)

  /// - Parameter x: `[..., width]`.
  /// - Returns: The same shape.
  func callAsFunction(_ x: Variable) -> Variable
}

/// `y = (x − mean) / √(variance + ε) · γ + β` over the last axis (Ba et al. 2016).
public struct LayerNorm: RowNorm {
  /// γ, `[width]`.
  public let weight: Parameter
  /// β, `[width]`.
  public let bias: Parameter
  public let epsilon: Float

  public init(width: Int, epsilon: Float, _ initialiser: ParameterInitialiser) {
    weight = initialiser.constant([width], 1)
    bias = initialiser.constant([width], 0)
    self.epsilon = epsilon
  }

  public func callAsFunction(_ x: Variable) -> Variable { self(x, inComputePrecision: false) }

  /// - Parameters:
  ///   - x: `[..., width]`.
  ///   - inComputePrecision: Whether only products read the result, which may then be bfloat16.
  public func callAsFunction(_ x: Variable, inComputePrecision: Bool) -> Variable {
    x.layerNormalised(
      gamma: weight.variable, beta: bias.variable, epsilon: epsilon, precision: weight.precision,
      inComputePrecision: inComputePrecision)
  }

  /// `layerNorm(dropout(x) + residual)`.
  public func callAsFunction(
    _ x: Variable, addedTo residual: Variable, dropout: Dropout?, places: [RandomPlace]
  ) -> Variable {
    x.addedAndNormalised(
      to: residual, dropout: dropout, places: places, gamma: weight.variable,
      beta: bias.variable, epsilon: epsilon, precision: weight.precision)
  }
}
