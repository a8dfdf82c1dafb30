import Tensors

extension Variable {
  /// The linear map `y = x · Wᵀ + b`.
  ///
  /// Pullback: `dx = dy · W`, `dW = dyᵀ · x`, `db = sum of dy over the rows`.
  /// - Parameters:
  ///   - weight: `[outputs, inputs]`.
  ///   - bias: `[outputs]`.
  /// - Returns: The receiver's shape with its last axis replaced, `[..., outputs]`.
  public func linear(_ weight: Weight, bias: Variable? = nil) -> Variable {
    let x = factor(for: weight)
    let y = linearValue(x, weight, bias: bias)
    let kept = weight.variable.map { _ in x }
    return .recording(y, from: [self, weight.variable, bias]) { [node] dy, gradients in
      Variable.addLinearGradients(dy, to: node, x: kept, weight: weight, bias: bias, gradients)
    }
  }

  /// The linear map followed by an activation: `y = f(h)`, `h = x · Wᵀ + b`.
  ///
  /// Only `h` is kept beside the input. Pullback: `dh = dy · f'(h)`, then as in `linear`.
  public func linear(
    _ weight: Weight, bias: Variable? = nil, activation: Activation
  ) -> Variable {
    let x = factor(for: weight)
    let h = linearValue(x, weight, bias: bias)
    let kept = weight.variable.map { _ in x }
    return .recording(activation(h), from: [self, weight.variable, bias]) { [node] dy, gradients in
      Variable.addLinearGradients(
        activation.gradient(dy, at: h), to: node, x: kept, weight: weight, bias: bias, gradients)
    }
  }

  private func linearValue(_ x: ProductFactor, _ weight: Weight, bias: Variable?) -> Tensor {
    let outputs = weight.matrix.outputs
    precondition(
      value.width == weight.matrix.inputs,
      "a weight [\(outputs), \(weight.matrix.inputs)] cannot be applied to shape \(shape)")
    precondition(
      bias.map { $0.value.count == outputs } ?? true,
      "a bias of shape \(bias?.shape ?? []) does not go with \(outputs) outputs")
    return Tensor(shape: shape.dropLast() + [outputs]) { y in
      if let bias { fillRows(y, rows: value.rowCount, with: bias.value) }
      weight.matrix.apply(to: x, into: y, keeping: bias == nil ? 0 : 1)
    }
  }

  /// - Parameter x: The map's input, which only the gradient of a trained weight needs.
  private static func addLinearGradients(
    _ dy: Tensor, to node: GradientNode?, x: ProductFactor?, weight: Weight, bias: Variable?,
    _ gradients: Gradients
  ) {
    let factor = weight.matrix.factor(dy)
    gradients.accumulate(into: node) { dx, keeping in
      weight.matrix.applyTransposed(to: factor, into: dx, keeping: keeping)
    }
    gradients.accumulate(into: weight.variable?.node) { dw, keeping in
      guard let x else { preconditionFailure("a trained weight keeps its input") }
      ProductFactor.addTransposedProduct(factor, x, into: dw, keeping: keeping)
    }
    gradients.accumulate(into: bias?.node) { db, keeping in
      if keeping == 0 { db.update(repeating: 0, count: dy.width) }
      dy.addColumnSums(to: db)
    }
  }
}

/// Writes the same row `[width]` into each of `rows` rows.
private func fillRows(_ y: UnsafeMutablePointer<Float>, rows: Int, with row: Tensor) {
  let width = row.count
  row.read { source in
    Parallel.forEachRun(of: rows, grain: Parallel.rowGrain(width: width)) { run in
      for index in run { (y + index * width).update(from: source, count: width) }
    }
  }
}
