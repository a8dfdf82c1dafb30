import Tensors

extension Variable {
  /// Layer normalisation: `y = (x − mean) / √(variance + ε) · γ + β` over the last axis
  /// (Ba et al. 2016).
  ///
  /// With `x̂ = (y − β) / γ`'s normalised value and `g = dy · γ`, the pullback is
  /// `dx = (g − mean(g) − x̂ · mean(g · x̂)) / √(variance + ε)`, `dγ = sum(dy · x̂)`, `dβ = sum(dy)`.
  /// - Parameters:
  ///   - gamma: `[width]`.
  ///   - beta: `[width]`.
  ///   - precision: In which products read the result; x̂ waits in it for the backward pass.
  ///   - inComputePrecision: Whether only products read the result.
  /// - Returns: A variable of the receiver's shape.
  public func layerNormalised(
    gamma: Variable, beta: Variable, epsilon: Float, precision: ProductPrecision = .float32,
    inComputePrecision: Bool = false
  ) -> Variable {
    Variable.normalisedSum(
      self, residual: nil, dropout: nil, places: [], gamma: gamma, beta: beta, epsilon: epsilon,
      precision: precision, inComputePrecision: inComputePrecision)
  }

  /// `layerNorm(dropout(x) + residual)`, the end of every sub-block of BERT, in one pass.
  ///
  /// The pullback gives the residual `ds` and `x` the mask times `ds`, where `ds` is the gradient of
  /// the sum.
  /// - Parameter places: Where each row's draws belong; used only with dropout.
  public func addedAndNormalised(
    to residual: Variable, dropout: Dropout?, places: [RandomPlace], gamma: Variable,
    beta: Variable, epsilon: Float, precision: ProductPrecision = .float32
  ) -> Variable {
    precondition(
      shape == residual.shape
        || (rowCount == residual.rowCount && shape.last == residual.shape.last),
      "a residual of shape \(residual.shape) for a sum with shape \(shape)")
    return Variable.normalisedSum(
      self, residual: residual, dropout: dropout, places: places, gamma: gamma, beta: beta,
      epsilon: epsilon, precision: precision, inComputePrecision: false)
  }

  private static func normalisedSum(
    _ x: Variable, residual: Variable?, dropout: Dropout?, places: [RandomPlace],
    gamma: Variable, beta: Variable, epsilon: Float, precision: ProductPrecision,
    inComputePrecision: Bool
  ) -> Variable {
    let shape = x.shape
    let kernel = LayerNormKernel(
      rows: x.rowCount, width: shape.last ?? 1, epsilon: epsilon,
      dropout: dropout.flatMap { $0.rate > 0 ? $0 : nil }, places: places,
      gamma: gamma.value, beta: beta.value)
    precondition(
      kernel.gamma.count == kernel.width && kernel.beta.count == kernel.width,
      "γ \(gamma.shape) and β \(beta.shape) do not go with shape \(shape)")
    precondition(
      kernel.dropout == nil || places.count == kernel.rows,
      "\(places.count) places for the rows of \(shape)")
    let parents = [x, residual, gamma, beta]
    let keeps = parents.contains { $0?.needsGradient ?? false }
    let rounds = precision == .bfloat16
    let result = kernel.forward(
      x.kept, residual: residual?.value, rounds: rounds,
      // With a gradient to come, several maps' gradients are summed in float32.
      writesFloats: !rounds || !inComputePrecision || keeps, keepsNormalised: keeps)
    let y = result.y.map { Operand.float32($0.reshaped(shape)) }
    let rounded = result.rounded.map { Operand.bfloat16($0) }
    guard let kept = y ?? rounded else { preconditionFailure("a norm has a result") }
    let (xNode, residualNode, gammaNode, betaNode) = (
      x.node, residual?.node, gamma.node, beta.node
    )
    let wantsScales = gammaNode != nil || betaNode != nil
    return .recording(kept, shape: shape, rounded: rounded, from: parents) { dy, gradients in
      let gradient = kernel.backward(
        dy.tensor(shape), normalised: result.normalised, scales: result.scales,
        wantsScales: wantsScales)
      if let dGamma = gradient.dGamma, let dBeta = gradient.dBeta {
        gradients.add(dGamma, to: gammaNode)
        gradients.add(dBeta, to: betaNode)
      }
      gradients.addFactor(
        kernel.dropped(gradient.dSum, isRounded: xNode?.isRounded ?? false), to: xNode)
      gradients.add(gradient.dSum, to: residualNode)
    }
  }
}
