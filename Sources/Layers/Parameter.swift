import Autograd
import Tensors

/// A named tensor of a model, trained or frozen.
public final class Parameter {
  /// Whether weight decay acts on it: not on biases, norms and the temperature.
  public let decays: Bool
  public let shape: [Int]
  /// Frozen parameters cost no gradient, and gradients pass through what they compute.
  public var isFrozen = false
  private let leaf: Leaf
  private var storedValue: Tensor?
  /// The form in which a frozen matrix is kept, where it is not float32.
  private var storedMatrix: (any MatrixWeight)?
  private let initialValue: () -> Tensor

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
    isFrozen = true
  }

  /// Changes the values in place, as an optimiser does.
  public func update(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    precondition(storedMatrix == nil, "a matrix kept as it is stored cannot be changed")
    var value = self.value
    storedValue = nil
    value.modify(body)
    storedValue = value
  }

  /// The parameter as an operation takes it.
  public var variable: Variable {
    isFrozen ? Variable(value) : Variable(value, leaf: leaf)
  }

  /// A matrix parameter `[outputs, inputs]` as a linear map takes it.
  public var weight: Weight {
    if let storedMatrix {
      precondition(isFrozen, "a matrix kept as it is stored cannot be trained")
      return Weight(frozen: storedMatrix)
    }
    return Weight(variable)
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
