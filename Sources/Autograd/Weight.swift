import Tensors

/// The weight of a linear map as an operation sees it: a matrix of some form, and, if the weight is
/// trained, the variable `[outputs, inputs]` that its gradient belongs to.
public struct Weight {
  public let matrix: any MatrixWeight
  let variable: Variable?

  /// A frozen weight: gradients pass through it, none is kept for it.
  public init(frozen matrix: any MatrixWeight) {
    self.matrix = matrix
    variable = nil
  }

  /// A weight kept as float32, trained if the variable needs a gradient.
  public init(_ variable: Variable) {
    matrix = DenseWeight(variable.value)
    self.variable = variable.needsGradient ? variable : nil
  }
}
