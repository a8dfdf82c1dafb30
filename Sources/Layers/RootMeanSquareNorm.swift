import Autograd

/// `y = x / √(mean(x²) + ε) · γ` over the last axis (Zhang and Sennrich 2019).
public struct RootMeanSquareNorm: RowNorm {
  /// γ, `[width]`.
  public let weight: Parameter
  public let epsilon: Float

  public init(width: Int, epsilon: Float, _ initialiser: ParameterInitialiser) {
    weight = initialiser.constant([width], 1)
    self.epsilon = epsilon
  }

  public func callAsFunction(_ x: Variable) -> Variable {
    x.rootMeanSquareNormalised(gamma: weight.variable, epsilon: epsilon)
  }
}
