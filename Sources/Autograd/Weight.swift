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

  /// A weight of a variable's values, trained if the variable needs a gradient.
  /// - Parameter matrix: The values as they are multiplied; nil for float32.
  public init(_ variable: Variable, multipliedAs matrix: (any MatrixWeight)? = nil) {
    self.matrix = matrix ?? DenseWeight(variable.value)
    self.variable = variable.needsGradient ? variable : nil
  }

  /// - Precondition: The map can be applied to rows of the shape, and the bias goes with its outputs.
  func check(_ shape: [Int], bias: Variable?) {
    precondition(
      shape.last == matrix.inputs,
      "a weight [\(matrix.outputs), \(matrix.inputs)] cannot be applied to shape \(shape)")
    precondition(
      bias.map { $0.shape.reduce(1, *) == matrix.outputs } ?? true,
      "a bias of shape \(bias?.shape ?? []) does not go with \(matrix.outputs) outputs")
  }

  /// A weight of a variable's values, multiplied in a precision.
  public init(_ variable: Variable, in precision: ProductPrecision) {
    guard precision == .bfloat16 else {
      self.init(variable)
      return
    }
    // The values themselves are not kept beside the rounded ones.
    let rounded = BFloat16Weight(DenseWeight(variable.value))
    self.init(
      Variable(.bfloat16(rounded.matrix), shape: variable.shape, node: variable.node),
      multipliedAs: rounded)
  }
}
