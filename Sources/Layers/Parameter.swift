import Autograd
import Tensors

/// A named tensor of a model, trained or frozen.
public final class Parameter {
  /// Whether weight decay acts on it: not on biases, norms and the temperature.
  public let decays: Bool
  public let shape: [Int]
  /// Frozen parameters cost no gradient, and gradients pass through what they compute.
  public var isFrozen = false
  /// Whether it is frozen and no gradient passes through what it computes: a matrix may then be kept as
  /// it is multiplied fastest.
  var isForInference = false
  private let leaf: Leaf
  private var storedValue: Tensor?
  /// The form in which a frozen matrix is kept, where it is not float32.
  private var storedMatrix: (any MatrixWeight)?
  private let initialValue: () -> Tensor
  /// The precision in which linear maps multiply it; int8 is for frozen matrices. Of those, and of
  /// matrices for inference in bfloat16, nothing but what is multiplied is kept from the first product on.
  public var precision = ProductPrecision.float32 {
    didSet { rounded = nil }
  }
  /// The present value as bfloat16 products take it, once one asked for it.
  private var rounded: BFloat16Weight?

  /// - Parameter initialValue: Is called only if the parameter is used before `value` is set, so
  ///   that a model whose weights come from a file draws none at random.
  public init(shape: [Int], decays: Bool, initialValue: @escaping () -> Tensor) {
    self.shape = shape
    self.decays = decays
    self.initialValue = initialValue
    leaf = Leaf(shape: shape)
  }

  public var value: Tensor {
    get {
      if let storedValue { return storedValue }
      if let storedMatrix { return storedMatrix.expanded() }
      let value = initialValue()
      precondition(value.shape == shape, "an initial value \(value.shape) for shape \(shape)")
      storedValue = value
      return value
    }
    set {
      precondition(newValue.shape == shape, "a value \(newValue.shape) for shape \(shape)")
      storedValue = newValue
      storedMatrix = nil
      rounded = nil
    }
  }

  /// Freezes a matrix parameter in the form in which a file stores it; nothing is expanded.
  /// - Parameter matrix: `[outputs, inputs]`, of the parameter's shape.
  public func freeze(as matrix: any MatrixWeight) {
    precondition(
      shape == [matrix.outputs, matrix.inputs],
      "a matrix [\(matrix.outputs), \(matrix.inputs)] for shape \(shape)")
    storedMatrix = matrix
    storedValue = nil
    rounded = nil
    isFrozen = true
  }

  /// Changes the values in place, as an optimiser does.
  public func update(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    precondition(storedMatrix == nil, "a matrix kept as it is stored cannot be changed")
    var value = self.value
    storedValue = nil
    rounded = nil
    value.modify(body)
    storedValue = value
  }

  /// The parameter as an operation takes it.
  public var variable: Variable {
    isFrozen ? Variable(value) : Variable(value, leaf: leaf)
  }

  /// A matrix parameter `[outputs, inputs]` as a linear map takes it.
  public var weight: Weight {
    if precision == .int8 { return Weight(frozen: keptForGood(as: Int8Weight.init)) }
    if isPacked { return Weight(frozen: keptForGood(as: PackedWeight.init)) }
    if let storedMatrix {
      precondition(isFrozen, "a matrix kept as it is stored cannot be trained")
      return Weight(frozen: precision == .bfloat16 ? inBFloat16(storedMatrix) : storedMatrix)
    }
    guard precision == .bfloat16 else { return Weight(variable) }
    return Weight(variable, multipliedAs: inBFloat16(DenseWeight(value)))
  }

  /// Some rows of a matrix parameter as a linear map takes them.
  public func weight(ofRows range: Range<Int>) -> Weight {
    if precision == .int8 {
      return Weight(frozen: keptForGood(as: Int8Weight.init).outputs(range))
    }
    if isPacked { return Weight(frozen: keptForGood(as: PackedWeight.init).outputs(range)) }
    guard precision == .bfloat16 else {
      if isFrozen, let storedMatrix = storedMatrix as? StoredWeight {
        return Weight(frozen: storedMatrix.outputs(range))
      }
      return Weight(variable.rows(range))
    }
    let rounded = inBFloat16(storedMatrix ?? DenseWeight(value)).outputs(range)
    return isFrozen
      ? Weight(frozen: rounded) : Weight(variable.rows(range), multipliedAs: rounded)
  }

  /// Rounds a weight once for each value that it has.
  private func inBFloat16(_ matrix: any MatrixWeight) -> BFloat16Weight {
    if let rounded { return rounded }
    let weight = BFloat16Weight(matrix)
    rounded = weight
    return weight
  }

  /// Rounds a frozen matrix and keeps nothing else of it.
  private func keptForGood<Form: MatrixWeight>(as make: (any MatrixWeight) -> Form) -> Form {
    precondition(isFrozen, "a matrix in \(precision) cannot be trained")
    if let kept = storedMatrix as? Form { return kept }
    let weight = make(storedMatrix ?? DenseWeight(value))
    freeze(as: weight)
    return weight
  }

  private var isPacked: Bool {
    precision == .bfloat16 && isFrozen && isForInference
      && PackedWeight.isFastest(outputs: shape[0], inputs: shape[1])
  }

  /// The rows of a table such as word embeddings, `[indices.count, width]`.
  public func rows(_ indices: [Int32]) -> Variable {
    if let storedMatrix, isFrozen { return Variable(storedMatrix.rows(indices)) }
    return variable.gatheredRows(indices)
  }

  /// The parameter's gradient in a store.
  public func gradient(in gradients: Gradients) -> Tensor? { gradients[leaf] }

  public func setGradient(_ gradient: Tensor?, in gradients: Gradients) {
    gradients[leaf] = gradient
  }
}
