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
  ///   - keeping: The precision in which x̂ waits for the backward pass.
  /// - Returns: A variable of the receiver's shape.
  public func layerNormalised(
    gamma: Variable, beta: Variable, epsilon: Float, keeping: ProductPrecision = .float32
  ) -> Variable {
    Variable.normalisedSum(
      self, residual: nil, dropout: nil, places: [], gamma: gamma, beta: beta, epsilon: epsilon,
      keeping: keeping)
  }

  /// `layerNorm(dropout(x) + residual)`, the end of every sub-block of BERT, in one pass.
  ///
  /// The pullback gives the residual `ds` and `x` the mask times `ds`, where `ds` is the gradient of
  /// the sum.
  /// - Parameter places: Where each row's draws belong; used only with dropout.
  public func addedAndNormalised(
    to residual: Variable, dropout: Dropout?, places: [RandomPlace], gamma: Variable,
    beta: Variable, epsilon: Float, keeping: ProductPrecision = .float32
  ) -> Variable {
    precondition(
      value.count == residual.value.count && value.width == residual.value.width,
      "a residual of shape \(residual.shape) for a sum with shape \(shape)")
    return Variable.normalisedSum(
      self, residual: residual, dropout: dropout, places: places, gamma: gamma, beta: beta,
      epsilon: epsilon, keeping: keeping)
  }

  private static func normalisedSum(
    _ x: Variable, residual: Variable?, dropout: Dropout?, places: [RandomPlace],
    gamma: Variable, beta: Variable, epsilon: Float, keeping: ProductPrecision
  ) -> Variable {
    let kernel = LayerNormKernel(
      rows: x.value.rowCount, width: x.value.width, epsilon: epsilon,
      dropout: dropout.flatMap { $0.rate > 0 ? $0 : nil }, places: places)
    precondition(
      gamma.value.count == kernel.width && beta.value.count == kernel.width,
      "γ \(gamma.shape) and β \(beta.shape) do not go with shape \(x.shape)")
    precondition(
      kernel.dropout == nil || places.count == kernel.rows,
      "\(places.count) places for the rows of \(x.shape)")
    let parents = [x, residual, gamma, beta]
    let keeps = parents.contains { $0?.needsGradient ?? false }
    let (y, normalised, scales) = kernel.forward(
      x.value, residual: residual?.value, gamma: gamma.value, beta: beta.value, keeps: keeps)
    let (xNode, residualNode) = (x.node, residual?.node)
    let shape = x.shape
    let kept =
      keeping == .bfloat16 && keeps
      ? ProductFactor.bfloat16(ProductFactor.float32(normalised).rounded) : .float32(normalised)
    return .recording(y, from: parents) { dy, gradients in
      let gradient = kernel.backward(
        dy, normalised: kept.tensor(keeps ? shape : [0]), scales: scales, gamma: gamma.value)
      gradients.add(gradient.dGamma, to: gamma.node)
      gradients.add(gradient.dBeta, to: beta.node)
      gradients.add(kernel.dropped(gradient.dSum), to: xNode)
      gradients.add(gradient.dSum, to: residualNode)
    }
  }
}

/// The passes over the rows; rows are independent but for dγ and dβ.
private struct LayerNormKernel {
  let rows: Int
  let width: Int
  let epsilon: Float
  let dropout: Dropout?
  let places: [RandomPlace]

  /// - Parameter keeps: Whether x̂ and the scales are wanted for a backward pass.
  /// - Returns: y, x̂ (both of x's shape) and 1/√(variance + ε) of each row.
  func forward(
    _ x: Tensor, residual: Tensor?, gamma: Tensor, beta: Tensor, keeps: Bool
  ) -> (y: Tensor, normalised: Tensor, scales: Tensor) {
    let normalised = Tensor(shape: keeps ? x.shape : [0]) { _ in }
    let scales = Tensor(shape: [keeps ? rows : 0]) { _ in }
    let y = Tensor(shape: x.shape) { y in
      read(x, gamma, beta) { x, gamma, beta in
        Parallel.forEachRun(of: rows, grain: Parallel.rowGrain(width: width)) { run in
          for row in run {
            let target = y + row * width
            sum(x, residual, row: row, into: target)
            let (mean, scale) = moments(target)
            if keeps {
              let kept = normalised.writable + row * width
              scales.writable[row] = scale
              mapVectors(target, into: kept, count: width) { ($0 - mean) * scale }
              affine(kept, gamma, beta, into: target)
            } else {
              mapVectors(target, into: target, count: width) { ($0 - mean) * scale }
              affine(target, gamma, beta, into: target)
            }
          }
        }
      }
    }
    return (y, normalised, scales)
  }

  /// target = dropout(x) + residual, for one row.
  @inline(__always)
  private func sum(
    _ x: UnsafePointer<Float>, _ residual: Tensor?, row: Int,
    into target: UnsafeMutablePointer<Float>
  ) {
    let source = x + row * width
    if let dropout {
      dropout.apply(to: target, from: source, count: width, place: places[row])
    } else {
      target.update(from: source, count: width)
    }
    residual?.read { addVectors($0 + row * width, to: target, count: width) }
  }

  @inline(__always)
  private func moments(_ row: UnsafePointer<Float>) -> (mean: Float, scale: Float) {
    let mean = sumVectors(row, count: width) { $0 } / Float(width)
    let variance = sumVectors(row, count: width) { ($0 - mean) * ($0 - mean) } / Float(width)
    return (mean, 1 / (variance + epsilon).squareRoot())
  }

  @inline(__always)
  private func affine(
    _ x: UnsafePointer<Float>, _ gamma: UnsafePointer<Float>, _ beta: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>
  ) {
    forEachVector(width) { i in
      Vector(beta + i).addingProduct(Vector(x + i), Vector(gamma + i)).store(y + i)
    } partial: { i, lanes in
      Vector(beta + i, first: lanes)
        .addingProduct(Vector(x + i, first: lanes), Vector(gamma + i, first: lanes))
        .store(y + i, first: lanes)
    }
  }

  func backward(
    _ dy: Tensor, normalised: Tensor, scales: Tensor, gamma: Tensor
  ) -> (dSum: Tensor, dGamma: Tensor, dBeta: Tensor) {
    // dγ and dβ are summed run by run, then over the runs in their order: the same for any threads.
    let grain = max(Parallel.rowGrain(width: width), (rows + 63) / 64)
    let runs = max(1, (rows + grain - 1) / grain)
    let partialGamma = Tensor.zeros([runs, width])
    let partialBeta = Tensor.zeros([runs, width])
    let dSum = Tensor(shape: dy.shape) { ds in
      read(dy, normalised, gamma) { dy, normalised, gamma in
        Parallel.forEachRun(of: rows, grain: grain) { run in
          let dGamma = partialGamma.writable + run.lowerBound / grain * width
          let dBeta = partialBeta.writable + run.lowerBound / grain * width
          for row in run {
            let start = row * width
            addVectors(dy + start, to: dBeta, count: width)
            addProducts(dy + start, normalised + start, to: dGamma)
            let scale = scales.writable[row]
            rowGradient(
              dy + start, normalised + start, gamma, scale: scale, into: ds + start)
          }
        }
      }
    }
    return (dSum, partialGamma.columnSums(), partialBeta.columnSums())
  }

  @inline(__always)
  private func rowGradient(
    _ dy: UnsafePointer<Float>, _ normalised: UnsafePointer<Float>, _ gamma: UnsafePointer<Float>,
    scale: Float, into ds: UnsafeMutablePointer<Float>
  ) {
    mapVectors(dy, gamma, into: ds, count: width) { $0 * $1 }
    let mean = sumVectors(ds, count: width) { $0 } / Float(width)
    let along = sumVectors(ds, normalised, count: width) { $0 * $1 } / Float(width)
    mapVectors(ds, normalised, into: ds, count: width) { g, n in (g - mean - n * along) * scale }
  }

  @inline(__always)
  private func addProducts(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, to sum: UnsafeMutablePointer<Float>
  ) {
    forEachVector(width) { i in
      Vector(sum + i).addingProduct(Vector(a + i), Vector(b + i)).store(sum + i)
    } partial: { i, lanes in
      Vector(sum + i, first: lanes)
        .addingProduct(Vector(a + i, first: lanes), Vector(b + i, first: lanes))
        .store(sum + i, first: lanes)
    }
  }

  /// The gradient that reaches x: the mask times that of the sum.
  func dropped(_ dSum: Tensor) -> Tensor {
    guard let dropout else { return dSum }
    return dSum.read { ds in
      Tensor(shape: dSum.shape) { dx in
        Parallel.forEachRun(of: rows, grain: Parallel.rowGrain(width: width)) { run in
          for row in run {
            dropout.apply(
              to: dx + row * width, from: ds + row * width, count: width, place: places[row])
          }
        }
      }
    }
  }
}
