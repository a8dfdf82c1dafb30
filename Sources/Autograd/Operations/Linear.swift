import Tensors

extension Variable {
  /// The linear map `y = x · Wᵀ + b`.
  ///
  /// Pullback: `dx = dy · W`, `dW = dyᵀ · x`, `db = sum of dy over the rows`.
  /// - Parameters:
  ///   - weight: `[outputs, inputs]`.
  ///   - bias: `[outputs]`.
  ///   - inComputePrecision: Whether only products read the result: it is then kept in the precision in
  ///     which the weight multiplies.
  /// - Returns: The receiver's shape with its last axis replaced, `[..., outputs]`.
  public func linear(
    _ weight: Weight, bias: Variable? = nil, inComputePrecision: Bool = false
  ) -> Variable {
    let x = factor(for: weight)
    let y = mapped(x, weight, bias: bias, inComputePrecision: inComputePrecision)
    let kept = weight.variable.map { _ in x }
    return .recording(
      y, shape: shape.dropLast() + [weight.matrix.outputs], from: [self, weight.variable, bias]
    ) { [node] dy, gradients in
      Variable.addLinearGradients(dy, to: node, x: kept, weight: weight, bias: bias, gradients)
    }
  }

  /// The linear map followed by an activation: `y = f(h)`, `h = x · Wᵀ + b`.
  ///
  /// Only `h` is kept beside the input. Pullback: `dh = dy · f'(h)`, then as in `linear`.
  public func linear(
    _ weight: Weight, bias: Variable? = nil, activation: Activation,
    inComputePrecision: Bool = false
  ) -> Variable {
    let x = factor(for: weight)
    let kept = weight.variable.map { _ in x }
    let inputs = [self, weight.variable, bias]
    let outputShape = Array(shape.dropLast()) + [weight.matrix.outputs]
    let (h, y) = mapped(
      x, weight, bias: bias, activation: activation, inComputePrecision: inComputePrecision,
      keepsInput: inputs.contains { $0?.node != nil })
    return .recording(y, shape: outputShape, from: inputs) { [node] dy, gradients in
      Variable.addLinearGradients(
        activation.gradient(dy, at: h), to: node, x: kept, weight: weight, bias: bias, gradients)
    }
  }

  /// `h = x · Wᵀ + b`.
  private func mapped(
    _ x: Operand, _ weight: Weight, bias: Variable?, inComputePrecision: Bool,
    then map: (ProductResult) -> FusedMap? = { _ in nil }
  ) -> Operand {
    let (outputs, inputs) = (weight.matrix.outputs, weight.matrix.inputs)
    precondition(
      shape.last == inputs,
      "a weight [\(outputs), \(inputs)] cannot be applied to shape \(shape)")
    precondition(
      bias.map { $0.value.count == outputs } ?? true,
      "a bias of shape \(bias?.shape ?? []) does not go with \(outputs) outputs")
    return .made(
      in: resultPrecision(weight, inComputePrecision), shape: Array(shape.dropLast()) + [outputs]
    ) {
      weight.matrix.apply(to: x, bias: bias?.value, into: $0, then: map($0))
    }
  }

  /// h and `y = f(h)`; if h is not kept, y in the place of both.
  private func mapped(
    _ x: Operand, _ weight: Weight, bias: Variable?, activation: Activation,
    inComputePrecision: Bool, keepsInput: Bool
  ) -> (h: Operand, y: Operand) {
    guard keepsInput else {
      let y = mapped(x, weight, bias: bias, inComputePrecision: inComputePrecision) {
        FusedMap(activation.function, into: $0)
      }
      return (y, y)
    }
    var h: Operand?
    let y = Operand.made(
      in: resultPrecision(weight, inComputePrecision),
      shape: Array(shape.dropLast()) + [weight.matrix.outputs]
    ) { y in
      h = mapped(x, weight, bias: bias, inComputePrecision: inComputePrecision) { _ in
        FusedMap(activation.function, into: y)
      }
    }
    guard let h else { preconditionFailure("the closure was not called") }
    return (h, y)
  }

  private func resultPrecision(_ weight: Weight, _ inComputePrecision: Bool) -> ProductPrecision {
    inComputePrecision ? weight.matrix.resultPrecision : .float32
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
