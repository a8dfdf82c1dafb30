import Tensors

extension Variable {
  /// y = what others make of x: a value from outside the graph, such as the rows of several processes, of
  /// which x is a part. dx = `pullback(dy)`.
  /// - Parameters:
  ///   - value: y, of any shape.
  ///   - pullback: Makes x's gradient, of x's shape, of y's.
  public func replaced(by value: Tensor, _ pullback: @escaping (_ dy: Tensor) -> Tensor) -> Variable
  {
    .recording(value, from: self, pullback)
  }
}
