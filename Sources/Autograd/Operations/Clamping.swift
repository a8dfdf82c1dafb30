import Tensors

extension Variable {
  /// A single value, or `least` where it lies below. Pullback: `dx = dy`, or 0 where `least` is
  /// taken and `dy` would push the value further down; a gradient that lifts it passes.
  public func atLeast(_ least: Float) -> Variable {
    let x = value.scalar
    if x >= least { return self }
    let shape = self.shape
    return .recording(Tensor(repeating: least, shape: shape), from: self) { dy in
      Tensor(repeating: min(dy.scalar, 0), shape: shape)
    }
  }
}
