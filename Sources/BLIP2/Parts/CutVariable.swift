import Autograd
import Tensors

/// A value without its history, whose gradient waits in the store to be taken.
struct CutVariable {
  let variable: Variable
  private let leaf: Leaf

  init(_ value: Tensor, needsGradient: Bool = true) {
    leaf = Leaf(shape: value.shape)
    variable = needsGradient ? Variable(value, leaf: leaf) : Variable(value)
  }

  func takeGradient(from gradients: Gradients) -> Tensor? {
    defer { gradients[leaf] = nil }
    return gradients[leaf]
  }
}
