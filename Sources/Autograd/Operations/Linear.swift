import Tensors

extension Variable {
  /// The linear map `h = x · Wᵀ + b`, and an activation of it if there is one: `y = f(h)`, else `y = h`.
  ///
  /// Only `h` is kept beside the input, and only for an activation. Pullback: `dh = dy · f'(h)`, or `dy`;
  /// `dx = dh · W`, `dW = dhᵀ · x`, `db = sum of dh over the rows`.
  /// - Parameters:
  ///   - weight: `[outputs, inputs]`.
  ///   - bias: `[outputs]`.
  ///   - inComputePrecision: Whether only products read the result: it is then kept in the precision in
  ///     which the weight multiplies.
  /// - Returns: The receiver's shape with its last axis replaced, `[..., outputs]`.
  public func linear(
    _ weight: Weight, bias: Variable? = nil, activation: Activation? = nil,
    inComputePrecision: Bool = false
  ) -> Variable {
    weight.check(shape, bias: bias)
    let x = factor(for: weight)
    let parents = [self, weight.variable, bias]
    let precision = inComputePrecision ? weight.matrix.resultPrecision : .float32
    let outputShape = Array(shape.dropLast()) + [weight.matrix.outputs]
    func mapped(then map: (_ h: ProductResult) -> FusedMap?) -> Operand {
      .made(in: precision, shape: outputShape) {
        weight.matrix.apply(to: x, bias: bias?.value, into: $0, then: map($0))
      }
    }
    var h: Operand?
    let y: Operand
    if let activation, parents.contains(where: { $0?.node != nil }) {
      y = .made(in: precision, shape: outputShape) { y in
        h = mapped { _ in FusedMap(activation.function, into: y) }
      }
    } else {
      // Where h is not kept, y takes its place.
      y = mapped { h in activation.map { FusedMap($0.function, into: h) } }
    }
    let kept = weight.variable.map { _ in x }
    return .recording(y, shape: outputShape, from: parents) { [node, h] dy, gradients in
      var dh = dy
      if let activation {
        guard let h else { preconditionFailure("the activation's input was not kept") }
        dh = activation.gradient(dy, at: h)
      }
      Variable.addLinearGradients(
        dh, to: node, x: kept, weight: weight, bias: bias, gradients)
    }
  }

  /// - Parameter x: The map's input, which only the gradient of a trained weight needs.
  private static func addLinearGradients(
    _ dy: Operand, to node: GradientNode?, x: Operand?, weight: Weight,
    bias: Variable?, _ gradients: Gradients
  ) {
    gradients.accumulate(into: bias?.node) { db, beta in
      if beta == 0 { db.update(repeating: 0, count: weight.matrix.outputs) }
      dy.addColumnSums(to: db)
    }
    let factor = weight.matrix.factor(dy)
    gradients.accumulateProduct(into: node, in: weight.matrix.resultPrecision) { dx, beta in
      weight.matrix.applyTransposed(to: factor, into: dx, beta: beta)
    }
    gradients.accumulate(into: weight.variable?.node) { dw, beta in
      guard let x else { preconditionFailure("a trained weight keeps its input") }
      Operand.addTransposedProduct(factor, x, into: dw, beta: beta)
    }
  }
}
