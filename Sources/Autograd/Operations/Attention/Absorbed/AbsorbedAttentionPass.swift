import Tensors

/// Attention that absorbs the maps of its keys and values: the products with weights for many rows at once,
/// a head at a time (`AbsorbedProducts`), and between them `FlashAttention` whose queries are a and whose
/// keys and values are x, which all heads share.
struct AbsorbedAttentionPass<Number: FusedNumber> {
  /// `[query rows, width]`.
  let queries: Operand
  /// `[key rows, inputs]`.
  let features: Operand
  /// `[width, inputs]`.
  let keyWeight: Operand
  let valueWeight: Operand
  /// `[width]`.
  let valueBias: Tensor
  /// Attention of a to x, whose heads are as wide as x.
  let core: FlashAttention<Number>

  /// - Precondition: Each group of the layout has one run of key rows.
  init(
    queries: Variable, features x: Variable, keyWeight: Operand, valueWeight: Operand,
    valueBias: Tensor, layout: AttentionLayout, options: AttentionOptions
  ) {
    (self.keyWeight, self.valueWeight, self.valueBias) = (keyWeight, valueWeight, valueBias)
    (self.queries, features) = (queries.operand(Number.self), x.operand(Number.self))
    precondition(
      valueBias.count % options.headCount == 0,
      "\(options.headCount) heads do not divide a width of \(valueBias.count)")
    precondition(
      layout.groups.allSatisfy { $0.keys.count == 1 }, "a group whose keys lie in several places")
    core = FlashAttention(
      AttentionShape(
        queries: queries.shape.dropLast() + [options.headCount * (x.shape.last ?? 1)],
        keys: x.shape, layout: layout, headCount: options.headCount),
      layout: layout, options: options)
  }

  var rows: Int { core.shape.queryRows }
  var headCount: Int { core.shape.headCount }
  var inputs: Int { core.shape.headWidth }
  var width: Int { valueBias.count }
  var headWidth: Int { width / headCount }

  /// What the backward pass uses.
  struct Kept {
    let core: FlashAttention<Number>.Kept
    /// b, `[query rows, heads, inputs]`.
    let results: NumberBuffer<Number>
    /// The sums of a row's probabilities after dropout, `[query rows, heads]`.
    let sums: Tensor
  }

  /// - Parameter needsGradient: Whether what the backward pass uses is wanted.
  func forward(needsGradient: Bool) -> (y: Operand, kept: Kept) {
    let sums = Tensor.zeros([rows, headCount])
    // The sums after dropout come from what is kept.
    let keepsAll = needsGradient || core.options.dropout != nil
    let kept = Kept(
      core: .init(
        normalisers: Tensor(shape: [rows, headCount]) { _ in }, sums: sums,
        exponentials: keepsAll ? NumberBuffer(count: rows * headCount * core.keptLine) : nil),
      results: NumberBuffer(count: rows * headCount * inputs), sums: sums)
    let a = NumberBuffer<Number>(count: rows * headCount * inputs)
    Operand.withNumbers(of: [queries, features], as: Number.self) { x in
      multiply(x[0], by: keyWeight, into: ProductResult(a.pointer))
      core.forward(
        .init(q: a.pointer, k: x[1], v: x[1]), into: kept.results.pointer, keeping: kept.core)
    }
    withExtendedLifetime(a) {}
    let products = Tensor(shape: [rows, width]) {
      multiply(kept.results.pointer, by: valueWeight, isTransposed: true, into: .float32($0))
    }
    let y = Operand.matrices(of: Number.self, [(rows, width)]) { y in
      write(products, with: sums, to: y[0])
    }
    return (y[0], kept)
  }

  /// y = x + (sum of d) · bv
  /// - Parameters:
  ///   - x: b · Wvᵀ, `[query rows, width]`; the sum is made where it lies.
  ///   - sums: `[query rows, heads]`.
  private func write(_ x: Tensor, with sums: Tensor, to y: UnsafeMutablePointer<Number>) {
    read(sums, valueBias) { sums, bias in
      forEachRowAndHead { index, head in
        let part = x.writable + index * headWidth
        let sum = sums[index]
        mapVectors(part, bias + head * headWidth, into: part, count: headWidth) { $0 + $1 * sum }
        roundVectors(part, into: y + index * headWidth, count: headWidth)
      }
    }
  }

  /// - Parameter values: dy in float32, `[query rows, width]`.
  /// - Returns: da, `[query rows, heads, inputs]`.
  func backward(dy: Operand, values: Tensor, kept: Kept) -> NumberBuffer<Number> {
    let gradient = NumberBuffer<Number>(count: rows * headCount * inputs)
    // Without dropout the value bias adds the same to all of a row, which the softmax does not see.
    let shifts = core.options.dropout == nil ? nil : alongBias(values)
    Operand.withNumbers(of: [dy, features], as: Number.self) { x in
      multiply(x[0], by: valueWeight, into: ProductResult(gradient.pointer))
      core.backward(
        // Nothing reads a, from which only scores and the gradient of x would be made.
        .init(q: kept.results.pointer, k: x[1], v: x[1]),
        .init(
          dy: UnsafePointer(gradient.pointer), y: UnsafePointer(kept.results.pointer),
          dq: gradient.pointer, shifts: shifts.map { UnsafePointer($0.writable) }),
        kept: kept.core)
    }
    withExtendedLifetime((kept, shifts)) {}
    return gradient
  }

  /// dq = da · Wkᵀ
  func queryGradient(_ da: NumberBuffer<Number>) -> Operand {
    Operand.made(in: Number.precision, shape: [rows, width]) {
      multiply(da.pointer, by: keyWeight, isTransposed: true, into: $0)
    }
  }

  /// dbv = sum of (sum of d) · dy, `[width]`
  /// - Parameter dy: `[query rows, width]`.
  func valueBiasGradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
    read(dy, kept.sums) { dy, sums in
      Tensor(shape: [rows, width]) { target in
        forEachRowAndHead { index, _ in
          let (place, sum) = (index * headWidth, sums[index])
          mapVectors(dy + place, into: target + place, count: headWidth) { $0 * sum }
        }
      }
    }.columnSums()
  }

  /// dy · bv by head, `[query rows, heads]`: what the bias adds to each gradient of a probability.
  /// - Parameter dy: `[query rows, width]`.
  private func alongBias(_ dy: Tensor) -> Tensor {
    read(dy, valueBias) { dy, bias in
      Tensor(shape: [rows, headCount]) { target in
        forEachRowAndHead { index, head in
          target[index] = dotProduct(
            dy + index * headWidth, bias + head * headWidth, count: headWidth)
        }
      }
    }
  }

  /// Calls the body with each head of all query rows: its place among all heads, and its number.
  private func forEachRowAndHead(_ body: (_ index: Int, _ head: Int) -> Void) {
    Parallel.forEachRun(of: rows, grain: Parallel.rowGrain(width: width)) { run in
      for index in run.lowerBound * headCount..<run.upperBound * headCount {
        body(index, index % headCount)
      }
    }
  }
}
