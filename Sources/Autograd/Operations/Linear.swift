import Tensors

extension Variable {
  /// The linear map `y = x · Wᵀ + b`.
  ///
  /// Pullback: `dx = dy · W`, `dW = dyᵀ · x`, `db = sum of dy over the rows`.
  /// - Parameters:
  ///   - weight: `[outputs, inputs]`.
  ///   - bias: `[outputs]`.
  ///   - forProducts: Whether only products read the result: it is then kept in the precision in
  ///     which the weight multiplies.
  /// - Returns: The receiver's shape with its last axis replaced, `[..., outputs]`.
  public func linear(
    _ weight: Weight, bias: Variable? = nil, forProducts: Bool = false
  ) -> Variable {
    let x = factor(for: weight)
    let y = mapped(x, weight, bias: bias, forProducts: forProducts)
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
    _ weight: Weight, bias: Variable? = nil, activation: Activation, forProducts: Bool = false
  ) -> Variable {
    let x = factor(for: weight)
    let kept = weight.variable.map { _ in x }
    let inputs = [self, weight.variable, bias]
    let outputShape = Array(shape.dropLast()) + [weight.matrix.outputs]
    let (h, y) = mapped(
      x, weight, bias: bias, activation: activation, forProducts: forProducts,
      keepsInput: inputs.contains { $0?.node != nil })
    return .recording(y, shape: outputShape, from: inputs) { [node] dy, gradients in
      Variable.addLinearGradients(
        activation.gradient(dy, at: h), to: node, x: kept, weight: weight, bias: bias, gradients)
    }
  }

  /// `h = x · Wᵀ + b`.
  private func mapped(
    _ x: ProductFactor, _ weight: Weight, bias: Variable?, forProducts: Bool,
    then map: (ProductResult) -> ResultMap? = { _ in nil }
  ) -> ProductFactor {
    let (outputs, inputs) = (weight.matrix.outputs, weight.matrix.inputs)
    precondition(
      shape.last == inputs,
      "a weight [\(outputs), \(inputs)] cannot be applied to shape \(shape)")
    precondition(
      bias.map { $0.value.count == outputs } ?? true,
      "a bias of shape \(bias?.shape ?? []) does not go with \(outputs) outputs")
    return .made(
      in: resultPrecision(weight, forProducts), shape: Array(shape.dropLast()) + [outputs]
    ) {
      weight.matrix.apply(to: x, bias: bias?.value, into: $0, then: map($0))
    }
  }

  /// h and `y = f(h)`; if h is not kept, y in the place of both.
  private func mapped(
    _ x: ProductFactor, _ weight: Weight, bias: Variable?, activation: Activation,
    forProducts: Bool, keepsInput: Bool
  ) -> (h: ProductFactor, y: ProductFactor) {
    guard keepsInput else {
      let y = mapped(x, weight, bias: bias, forProducts: forProducts) {
        ResultMap(activation.function, into: $0)
      }
      return (y, y)
    }
    var h: ProductFactor?
    let y = ProductFactor.made(
      in: resultPrecision(weight, forProducts),
      shape: Array(shape.dropLast()) + [weight.matrix.outputs]
    ) { y in
      h = mapped(x, weight, bias: bias, forProducts: forProducts) { _ in
        ResultMap(activation.function, into: y)
      }
    }
    guard let h else { preconditionFailure("the closure was not called") }
    return (h, y)
  }

  private func resultPrecision(_ weight: Weight, _ forProducts: Bool) -> ProductPrecision {
    forProducts ? weight.matrix.resultPrecision : .float32
  }

  /// - Parameter x: The map's input, which only the gradient of a trained weight needs.
  private static func addLinearGradients(
    _ dy: ProductFactor, to node: GradientNode?, x: ProductFactor?, weight: Weight,
    bias: Variable?, _ gradients: Gradients
  ) {
    gradients.accumulate(into: bias?.node) { db, keeping in
      if keeping == 0 { db.update(repeating: 0, count: weight.matrix.outputs) }
      dy.addColumnSums(to: db)
    }
    let factor = weight.matrix.factor(dy)
    gradients.accumulateProduct(into: node, in: weight.matrix.resultPrecision) { dx, keeping in
      weight.matrix.applyTransposed(to: factor, into: dx, keeping: keeping)
    }
    gradients.accumulate(into: weight.variable?.node) { dw, keeping in
      guard let x else { preconditionFailure("a trained weight keeps its input") }
      ProductFactor.addTransposedProduct(factor, x, into: dw, keeping: keeping)
    }
  }
}
