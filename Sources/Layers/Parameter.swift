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
      let value = initialValue()
      precondition(value.shape == shape, "an initial value \(value.shape) for shape \(shape)")
      storedValue = value
      return value
    }
    set {
      precondition(newValue.shape == shape, "a value \(newValue.shape) for shape \(shape)")
      storedValue = newValue
    }
  }

  /// Changes the values in place, as an optimiser does.
  public func update(_ body: (UnsafeMutablePointer<Float>) -> Void) {
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
  public var weight: Weight { Weight(variable) }

  /// The parameter's gradient in a store.
  public func gradient(in gradients: Gradients) -> Tensor? { gradients[leaf] }

  public func setGradient(_ gradient: Tensor?, in gradients: Gradients) {
    gradients[leaf] = gradient
  }
}
