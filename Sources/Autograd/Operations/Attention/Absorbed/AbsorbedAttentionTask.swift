import Tensors

/// What is computed with the rows of one group, on one thread.
struct AbsorbedAttentionTask<Number: ProductNumber> {
  let sizes: AbsorbedSizes
  let options: AttentionOptions
  let group: AttentionLayout.Group
  /// Which of the group's chunks are this task's: each `parts`-th from here on.
  let part: Int
  let parts: Int
  let features: UnsafePointer<Number>

  /// Some query rows of a span, whose scores are in the cache together.
  private struct Chunk {
    let span: AttentionLayout.QuerySpan
    /// Among the span's rows.
    let rows: Range<Int>

    /// The first one in the packed buffer.
    var first: Int { span.rows.lowerBound + rows.lowerBound }
  }

  /// Rows of a chunk, those of all heads counted: as many as make up for reading x from afar.
  private static var chunkRows: Int { 192 }

  private var chunkQueries: Int {
    max(1, AbsorbedAttentionTask.chunkRows / sizes.headCount)
  }

  private var chunks: [Chunk] {
    let all = group.queries.flatMap { span in
      stride(from: 0, to: span.rows.count, by: chunkQueries).map { start in
        Chunk(span: span, rows: start..<min(span.rows.count, start + chunkQueries))
      }
    }
    return stride(from: part, to: all.count, by: parts).map { all[$0] }
  }

  /// x, `[keys, inputs]`.
  private var x: ElementView<Number> {
    ElementView(
      features + group.keys[0].lowerBound * sizes.inputs, rows: group.keyCount,
      columns: sizes.inputs)
  }

  /// A chunk's rows in `[query rows, heads, inputs]`.
  private func view(_ x: UnsafeMutablePointer<Number>, _ chunk: Chunk) -> ElementView<Number> {
    ElementView(
      UnsafePointer(x) + chunk.first * sizes.step, rows: chunk.rows.count * sizes.headCount,
      columns: sizes.inputs)
  }

  /// A chunk's rows of probabilities or the gradients of scores as a factor whose sums go over keys.
  private func factor(_ x: UnsafeMutablePointer<Number>, _ chunk: Chunk) -> ElementView<Number> {
    ElementView(
      UnsafePointer(x), rows: chunk.rows.count * sizes.headCount,
      columns: Number.innerCount(group.keyCount), stride: sizes.line)
  }

  /// Calls the body with each query row and head of a chunk.
  private func forEachRow(_ chunk: Chunk, _ body: (Row) -> Void) {
    for (index, row) in chunk.rows.enumerated() {
      let position = chunk.span.place.position &+ UInt32(row)
      for head in 0..<sizes.headCount {
        body(
          Row(
            index: index * sizes.headCount + head,
            place: (chunk.first + index) * sizes.headCount + head,
            visible: chunk.span.visibleKeys(at: row),
            draws: RandomPlace(
              sample: chunk.span.place.sample,
              position: position &* UInt32(sizes.headCount) &+ UInt32(head))))
      }
    }
  }

  /// A query row's scores of one head.
  private struct Row {
    /// Among those of the chunk, and among all.
    let index: Int
    let place: Int
    let visible: Int
    let draws: RandomPlace

    var padded: Int { (visible + 15) / 16 * 16 }
  }

  // MARK: Forward

  /// Writes p, b and the sums of d.
  /// - Parameter a: `[query rows, heads, inputs]`.
  func forward(_ a: UnsafeMutablePointer<Number>, _ kept: AbsorbedAttentionPass<Number>.Kept) {
    let chunks = self.chunks
    if chunks.isEmpty { return }
    let (columns, rows) = (Number.Right(columnsOf: x), Number.Right(rowsOf: x))
    let count = chunkQueries * sizes.headCount * sizes.line
    let scores = NumberBuffer<Float>(count: count)
    let dropped = NumberBuffer<Number>(count: options.dropout == nil ? 0 : count)
    for chunk in chunks {
      columns.multiply(view(a, chunk), into: .float32(scores.pointer), cStride: sizes.line)
      forEachRow(chunk) { row in
        let p = kept.probabilities.pointer + row.place * sizes.line
        let line = scores.pointer + row.index * sizes.line
        softmax(line, row, into: p)
        kept.sums.writable[row.place] = drop(line, row, into: dropped.pointer)
      }
      let p = kept.probabilities.pointer + chunk.first * sizes.headCount * sizes.line
      rows.multiply(
        factor(options.dropout == nil ? p : dropped.pointer, chunk),
        into: Number.result(kept.results.pointer + chunk.first * sizes.step),
        cStride: sizes.inputs)
    }
    withExtendedLifetime((scores, dropped)) {}
  }

  /// Replaces a row's scores by probabilities, which are also written to p.
  @inline(never)
  private func softmax(
    _ line: UnsafeMutablePointer<Float>, _ row: Row, into p: UnsafeMutablePointer<Number>
  ) {
    let scale = Vector(repeating: options.scale)
    for place in row.visible..<row.padded { line[place] = -1e30 }
    var maximum = Vector(repeating: -.infinity)
    for place in stride(from: 0, to: row.padded, by: 16) {
      let next = Vector(line + place)
      maximum = maximum.replacing(with: next, where: maximum .< next)
    }
    let shift = Vector(repeating: -maximum.laneMaximum * options.scale)
    var sums = Vector.zero
    for place in stride(from: 0, to: row.padded, by: 16) {
      let share = shift.addingProduct(Vector(line + place), scale).exponential()
      share.store(line + place)
      sums += share
    }
    let inverse = 1 / sums.laneSum
    for place in stride(from: 0, to: row.padded, by: 16) {
      let share = Vector(line + place) * inverse
      share.store(line + place)
      Number.store(share, p + place)
    }
    // The last vector's rest holds what is as good as zero, but must be zero for the gradient.
    clear(p, row)
  }

  /// Writes d, if there is dropout.
  /// - Parameters:
  ///   - line: A row's probabilities.
  ///   - target: The chunk's rows.
  /// - Returns: The sum of d.
  @inline(never)
  private func drop(
    _ line: UnsafePointer<Float>, _ row: Row, into target: UnsafeMutablePointer<Number>
  ) -> Float {
    guard let dropout = options.dropout else { return 1 }
    let d = target + row.index * sizes.line
    var sums = Vector.zero
    dropout.forEachMask(count: row.visible, place: row.draws) { place, kept in
      let share = Vector.zero.replacing(with: Vector(line + place) * dropout.scale, where: kept)
      sums += share
      Number.store(share, d + place)
    }
    clear(d, row)
    return sums.laneSum
  }

  /// Zeros in a row's places beyond those that it sees.
  @inline(__always)
  private func clear(_ line: UnsafeMutablePointer<Number>, _ row: Row) {
    (line + row.visible).update(repeating: .zero, count: sizes.line - row.visible)
  }

  // MARK: Backward

  /// Replaces db by da.
  /// - Parameters:
  ///   - gradient: `[query rows, heads, inputs]`.
  ///   - alongBias: dy · bv, `[query rows, heads]`; needed with dropout.
  func backward(
    _ gradient: UnsafeMutablePointer<Number>, _ kept: AbsorbedAttentionPass<Number>.Kept,
    alongBias: UnsafePointer<Float>?
  ) {
    let chunks = self.chunks
    if chunks.isEmpty { return }
    let (columns, rows) = (Number.Right(columnsOf: x), Number.Right(rowsOf: x))
    let count = chunkQueries * sizes.headCount * sizes.line
    let (dp, ds) = (NumberBuffer<Float>(count: count), NumberBuffer<Number>(count: count))
    for chunk in chunks {
      columns.multiply(view(gradient, chunk), into: .float32(dp.pointer), cStride: sizes.line)
      forEachRow(chunk) { row in
        scoreGradient(
          dp.pointer + row.index * sizes.line, row, alongBias: alongBias?[row.place] ?? 0,
          p: kept.probabilities.pointer + row.place * sizes.line,
          into: ds.pointer + row.index * sizes.line)
      }
      rows.multiply(
        factor(ds.pointer, chunk), into: Number.result(gradient + chunk.first * sizes.step),
        cStride: sizes.inputs)
    }
    withExtendedLifetime((dp, ds)) {}
  }

  /// `ds = scale · p · (dp − sum(p · dp))` of one row, with `dp = dropout(dp + dy · bv)`.
  @inline(never)
  private func scoreGradient(
    _ dp: UnsafeMutablePointer<Float>, _ row: Row, alongBias: Float, p: UnsafePointer<Number>,
    into ds: UnsafeMutablePointer<Number>
  ) {
    for place in row.visible..<row.padded { dp[place] = 0 }
    var sums = Vector.zero
    if let dropout = options.dropout {
      dropout.forEachMask(count: row.visible, place: row.draws) { place, kept in
        let next = Vector.zero.replacing(
          with: (Vector(dp + place) + alongBias) * dropout.scale, where: kept)
        next.store(dp + place)
        sums = sums.addingProduct(next, Number.load(p + place))
      }
    } else {
      // What all keys share the softmax does not see.
      for place in stride(from: 0, to: row.padded, by: 16) {
        sums = sums.addingProduct(Vector(dp + place), Number.load(p + place))
      }
    }
    let along = sums.laneSum
    for place in stride(from: 0, to: row.padded, by: 16) {
      let gradient = (Vector(dp + place) - along) * Number.load(p + place)
      Number.store(gradient * options.scale, ds + place)
    }
    clear(ds, row)
  }
}
