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
    normalisedSum(
      by: LayerNormKernel(of: self, gamma: gamma, beta: beta, epsilon: epsilon),
      gamma: gamma, beta: beta, precision: precision, inComputePrecision: inComputePrecision)
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
    return normalisedSum(
      by: LayerNormKernel(
        of: self, gamma: gamma, beta: beta, epsilon: epsilon, dropout: dropout, places: places),
      addedTo: residual, gamma: gamma, beta: beta, precision: precision)
  }

  private func normalisedSum(
    by kernel: LayerNormKernel, addedTo residual: Variable? = nil, gamma: Variable, beta: Variable,
    precision: ProductPrecision, inComputePrecision: Bool = false
  ) -> Variable {
    let parents = [self, residual, gamma, beta]
    let keeps = parents.contains { $0?.needsGradient ?? false }
    let rounds = precision == .bfloat16
    let result = kernel.forward(
      self.kept, residual: residual?.value, rounds: rounds,
      // With a gradient to come, several maps' gradients are summed in float32.
      writesFloats: !rounds || !inComputePrecision || keeps, keepsNormalised: keeps)
    let y = result.y.map { Operand.float32($0.reshaped(shape)) }
    guard let kept = y ?? result.rounded.map({ .bfloat16($0) }) else {
      preconditionFailure("a norm has a result")
    }
    let (residualNode, gammaNode, betaNode) = (residual?.node, gamma.node, beta.node)
    let wantsScales = gammaNode != nil || betaNode != nil
    return .recording(kept, shape: shape, rounded: result.rounded, from: parents) {
      [node, shape] dy, gradients in
      let gradient = kernel.backward(
        dy.tensor(shape), normalised: result.normalised, scales: result.scales,
        wantsScales: wantsScales)
      if let dGamma = gradient.dGamma, let dBeta = gradient.dBeta {
        gradients.add(dGamma, to: gammaNode)
        gradients.add(dBeta, to: betaNode)
      }
      gradients.addFactor(
        kernel.dropped(gradient.dSum, isRounded: node?.isRounded ?? false), to: node)
      gradients.add(gradient.dSum, to: residualNode)
    }
  }
}
