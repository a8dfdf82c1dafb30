import Autograd
import Tensors

/// A value without its history, whose gradient waits in the store to be taken.
package struct DetachedLeaf {
  package let variable: Variable
  private let leaf: Leaf

  package init(_ value: Tensor, needsGradient: Bool = true) {
    leaf = Leaf(shape: value.shape)
    variable = needsGradient ? Variable(value, leaf: leaf) : Variable(value)
  }

  package func takeGradient(from gradients: Gradients) -> Tensor? {
    defer { gradients[leaf] = nil }
    return gradients[leaf]
  }
}
