import Tensors

extension Variable {
  /// The product of two matrices, `[rows, inner]` and `[inner, columns]`, or, for
  /// `.secondTransposed`, `[columns, inner]`.
  ///
  /// Pullback of `y = a · b`: `da = dy · bᵀ`, `db = aᵀ · dy`; of `y = a · bᵀ`: `da = dy · b`,
  /// `db = dyᵀ · a`.
  /// - Returns: `[rows, columns]`.
  public func product(_ other: Variable, _ form: TransposeMode = .plain) -> Variable {
    precondition(form != .firstTransposed, "this form has no gradient rule here")
    let (a, b) = (value, other.value)
    let (aNode, bNode) = (node, other.node)
    return .recording(a.product(b, form), from: [self, other]) { dy, gradients in
      if form == .plain {
        gradients.add(dy.product(b, .secondTransposed), to: aNode)
        gradients.add(a.product(dy, .firstTransposed), to: bNode)
      } else {
        gradients.add(dy.product(b), to: aNode)
        gradients.add(dy.product(a, .firstTransposed), to: bNode)
      }
    }
  }
}
