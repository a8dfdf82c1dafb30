import Tensors

/// The kernels of attention that absorbs the maps of its keys and values.
///
/// What is multiplied by weights is so for many rows at once, a head at a time, so that weights are read
/// seldom, and sums over images do not depend on the threads. Between these products lie those with a
/// group's own rows x, one or several tasks for each group: all heads of a query row stand one after the
/// other, `[query rows, heads, inputs]`, so that a run of query rows is one matrix there, whatever its
/// heads.
struct AbsorbedAttentionPass<Number: ProductNumber> {
  let sizes: AbsorbedSizes
  let layout: AttentionLayout
  let options: AttentionOptions
  /// `[query rows, width]`.
  let queries: ProductFactor
  /// `[key rows, inputs]`.
  let features: ProductFactor
  /// `[width, inputs]`.
  let keyWeight: ProductFactor
  let valueWeight: ProductFactor
  /// `[width]`.
  let valueBias: Tensor

  /// What the backward pass uses.
  struct Kept {
    /// p, `[query rows, heads, line]`.
    let probabilities: NumberBuffer<Number>
    /// b, `[query rows, heads, inputs]`.
    let results: NumberBuffer<Number>
    /// The sums of a row's probabilities after dropout, `[query rows, heads]`.
    let sums: Tensor
  }

  func forward() -> (y: ProductFactor, kept: Kept) {
    let kept = Kept(
      probabilities: NumberBuffer(count: sizes.rows * sizes.headCount * sizes.line),
      results: NumberBuffer(count: sizes.rows * sizes.step),
      sums: .zeros([sizes.rows, sizes.headCount]))
    let a = NumberBuffer<Number>(count: sizes.rows * sizes.step)
    multiply(queries, by: keyWeight, into: a)
    clearRowsLeftOut(kept.results)
    forEachTask { $0.forward(a.pointer, kept) }
    withExtendedLifetime(a) {}
    let sums = Tensor(shape: [sizes.rows, sizes.width]) {
      multiply(kept.results, by: valueWeight, into: .float32($0))
    }
    let y = Number.matrix(rows: sizes.rows, columns: sizes.width) { y in
      write(sums, with: kept.sums, to: y)
    }
    return (y, kept)
  }

  /// y = x + (sum of d) · bv
  /// - Parameters:
  ///   - x: b · Wvᵀ, `[query rows, width]`; the sum is made where it lies.
  ///   - sums: `[query rows, heads]`.
  private func write(_ x: Tensor, with sums: Tensor, to y: UnsafeMutablePointer<Number>) {
    let (width, headWidth) = (sizes.width, sizes.headWidth)
    read(sums, valueBias) { sums, bias in
      Parallel.forEachRun(of: sizes.rows, grain: Parallel.rowGrain(width: width)) { run in
        for row in run {
          let line = x.writable + row * width
          for head in 0..<sizes.headCount {
            let (part, bias) = (line + head * headWidth, bias + head * headWidth)
            let sum = sums[row * sizes.headCount + head]
            mapVectors(part, bias, into: part, count: headWidth) { $0 + $1 * sum }
          }
          Number.store(line, y + row * width, count: width)
        }
      }
    }
  }

  /// - Parameter values: dy in float32, `[query rows, width]`.
  /// - Returns: da, `[query rows, heads, inputs]`.
  func backward(dy: ProductFactor, values: Tensor, kept: Kept) -> NumberBuffer<Number> {
    let gradient = NumberBuffer<Number>(count: sizes.rows * sizes.step)
    multiply(dy, by: valueWeight, into: gradient)
    clearRowsLeftOut(gradient)
    if options.dropout == nil {
      forEachTask { $0.backward(gradient.pointer, kept, alongBias: nil) }
    } else {
      alongBias(values).read { alongBias in
        forEachTask { $0.backward(gradient.pointer, kept, alongBias: alongBias) }
      }
    }
    return gradient
  }

  /// dq = da · Wkᵀ
  func queryGradient(_ da: NumberBuffer<Number>) -> ProductFactor {
    Number.matrix(rows: sizes.rows, columns: sizes.width) {
      multiply(da, by: keyWeight, into: Number.result($0))
    }
  }

  /// dWk = qᵀ · da
  func addKeyWeightGradient(
    _ da: NumberBuffer<Number>, to dw: UnsafeMutablePointer<Float>, keeping: Float
  ) {
    addWeightGradient(queries, da, to: dw, keeping: keeping)
  }

  /// dWv = dyᵀ · b
  func addValueWeightGradient(
    _ dy: ProductFactor, _ kept: Kept, to dw: UnsafeMutablePointer<Float>, keeping: Float
  ) {
    addWeightGradient(dy, kept.results, to: dw, keeping: keeping)
  }

  /// dbv = sum of (sum of d) · dy, `[width]`
  /// - Parameter dy: `[query rows, width]`.
  func valueBiasGradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
    read(dy, kept.sums) { dy, sums in
      Tensor(shape: [sizes.rows, sizes.width]) { target in
        forEachRowAndHead { index, _ in
          let (place, sum) = (index * sizes.headWidth, sums[index])
          mapVectors(dy + place, into: target + place, count: sizes.headWidth) { $0 * sum }
        }
      }
    }.columnSums()
  }

  /// dy · bv by head, `[query rows, heads]`: what the bias adds to each gradient of a probability.
  /// - Parameter dy: `[query rows, width]`.
  private func alongBias(_ dy: Tensor) -> Tensor {
    read(dy, valueBias) { dy, bias in
      Tensor(shape: [sizes.rows, sizes.headCount]) { target in
        forEachRowAndHead { index, head in
          target[index] = sumVectors(
            dy + index * sizes.headWidth, bias + head * sizes.headWidth, count: sizes.headWidth
          ) { $0 * $1 }
        }
      }
    }
  }

  /// Calls the body with each head of all query rows: its place among all heads, and its number.
  private func forEachRowAndHead(_ body: (_ index: Int, _ head: Int) -> Void) {
    Parallel.forEachRun(of: sizes.rows, grain: Parallel.rowGrain(width: sizes.width)) { run in
      for index in run.lowerBound * sizes.headCount..<run.upperBound * sizes.headCount {
        body(index, index % sizes.headCount)
      }
    }
  }

  // MARK: Tasks

  /// Runs the body with the rows of each group: all of its query rows, or a part, if there are not
  /// groups enough for the threads. Query rows do not share any sum.
  private func forEachTask(_ body: (AbsorbedAttentionTask<Number>) -> Void) {
    let groups = layout.groups
    if groups.isEmpty { return }
    let parts = (4 * Parallel.threadCount + groups.count - 1) / groups.count
    Number.read(features) { x in
      Parallel.forEach(groups.count * parts) { index in
        body(
          AbsorbedAttentionTask(
            sizes: sizes, options: options, group: groups[index / parts], part: index % parts,
            parts: parts, features: x))
      }
    }
  }

  /// Zeros in the rows `[heads, inputs]` of queries that the layout leaves out.
  private func clearRowsLeftOut(_ x: NumberBuffer<Number>) {
    let spans = layout.groups.flatMap(\.queries).map(\.rows).filter { !$0.isEmpty }
      .sorted { $0.lowerBound < $1.lowerBound }
    var next = 0
    for rows in spans + [sizes.rows..<sizes.rows] {
      (x.pointer + next * sizes.step)
        .update(repeating: .zero, count: (rows.lowerBound - next) * sizes.step)
      next = rows.upperBound
    }
  }
}
