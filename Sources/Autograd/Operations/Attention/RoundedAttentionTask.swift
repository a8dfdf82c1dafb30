import Glibc
import Tensors

/// The work of some key heads of one group of rows, on one thread.
struct RoundedAttentionTask {
  let pass: RoundedAttentionPass
  let group: AttentionLayout.Group
  let keyHeads: Range<Int>
  let inputs: RoundedAttentionPass.Inputs

  private var shape: AttentionShape { pass.shape }
  private var width: Int { pass.shape.headWidth }
  private var sharing: Int { pass.shape.headsPerKeyHead }

  /// Query rows whose scores are in the cache together; a multiple of a tile's rows.
  private static let chunkRows = 48

  /// Some rows of a span and a head's columns of them.
  private struct Chunk {
    let span: AttentionLayout.QuerySpan
    /// Among the span's rows.
    let rows: Range<Int>
    let head: Int

    var first: Int { span.rows.lowerBound + rows.lowerBound }
  }

  private func forEachChunk(keyHead: Int, _ body: (Chunk) -> Void) {
    for span in group.queries {
      for start in stride(from: 0, to: span.rows.count, by: RoundedAttentionTask.chunkRows) {
        let rows = start..<min(span.rows.count, start + RoundedAttentionTask.chunkRows)
        for shared in 0..<sharing {
          body(Chunk(span: span, rows: rows, head: keyHead * sharing + shared))
        }
      }
    }
  }

  /// The chunk's part of a matrix of the queries' shape.
  private func view(_ x: UnsafePointer<BFloat16>, _ chunk: Chunk) -> ElementView<BFloat16> {
    ElementView(
      x + place(chunk), rows: chunk.rows.count, columns: width, stride: shape.width)
  }

  private func place(_ chunk: Chunk) -> Int { chunk.first * shape.width + chunk.head * width }

  // MARK: Forward

  /// - Parameter logSums: Where the scores' log-sum-exp go, `[query rows, heads]`, if wanted.
  func forward(y: UnsafeMutablePointer<BFloat16>, logSums: UnsafeMutablePointer<Float>?) {
    let keys = KeyRows(group, shape)
    let memory = AttentionMemory(
      shape, keys: keys.count, chunkRows: RoundedAttentionTask.chunkRows, isBackward: false)
    for keyHead in keyHeads {
      memory.keyColumns.write(columnsOf: keys.view(inputs.k, keyHead, memory.rows))
      memory.valueRows.write(rowsOf: keys.view(inputs.v, keyHead, memory.rows))
      forEachChunk(keyHead: keyHead) { chunk in
        TiledProduct.multiply(
          PairRows(view(inputs.q, chunk)), memory.keyColumns.padded, into: .float32(memory.scores),
          cStride: memory.line)
        softmax(chunk, memory, logSums: logSums)
        TiledProduct.multiply(
          PairRows(memory.view(memory.p, rows: chunk.rows.count)), memory.valueRows,
          into: .bfloat16(y + place(chunk)), cStride: shape.width,
          rowScales: UnsafePointer(memory.rowScales))
      }
    }
    withExtendedLifetime(memory) {}
  }

  private func softmax(
    _ chunk: Chunk, _ memory: AttentionMemory, logSums: UnsafeMutablePointer<Float>?
  ) {
    for (index, row) in chunk.rows.enumerated() {
      let (scores, p) = (memory.scores + index * memory.line, memory.p + index * memory.line)
      let visible = chunk.span.visibleKeys(at: row)
      let (largest, sum) = softmax(
        scores, visible: visible, position: position(chunk, row), head: chunk.head,
        sample: chunk.span.place.sample, into: p)
      clear(p, from: visible, memory)
      memory.rowScales[index] = (pass.options.dropout?.scale ?? 1) / sum
      if let logSums {
        logSums[(chunk.span.rows.lowerBound + row) * shape.headCount + chunk.head] =
          largest + log(sum)
      }
    }
  }

  private func position(_ chunk: Chunk, _ row: Int) -> UInt32 {
    chunk.span.place.position &+ UInt32(row)
  }

  /// What is proportional to the probabilities of one row of scores after dropout: the exponentials of
  /// the scores less the largest of them.
  /// - Returns: The largest score and the sum of the exponentials before dropout.
  @inline(never)
  private func softmax(
    _ scores: UnsafeMutablePointer<Float>, visible: Int, position: UInt32, head: Int,
    sample: UInt32, into target: UnsafeMutablePointer<BFloat16>
  ) -> (largest: Float, sum: Float) {
    let (padded, scale) = prepare(scores, visible: visible, position: position, head: head)
    var maximum = Vector(repeating: -.infinity)
    var i = 0
    while i < padded {
      let next = Vector(scores + i)
      maximum = maximum.replacing(with: next, where: maximum .< next)
      i &+= 16
    }
    let largest = maximum.laneMaximum * scale
    let shift = Vector(repeating: -largest)
    var sums = Vector.zero
    // Places beyond the visible ones hold what is as good as zero.
    if let dropout = pass.options.dropout {
      dropout.forEachMask(count: visible, place: draws(sample, position, head)) { i, kept in
        let share = shift.addingProduct(Vector(scores + i), Vector(repeating: scale))
          .roundedExponential()
        sums += share
        Vector.zero.replacing(with: share, where: kept).store(target + i)
      }
    } else {
      i = 0
      while i < padded {
        let share = shift.addingProduct(Vector(scores + i), Vector(repeating: scale))
          .roundedExponential()
        sums += share
        share.store(target + i)
        i &+= 16
      }
    }
    return (largest, sums.laneSum)
  }

  /// Adds biases to scores and fills the last vector's rest.
  /// - Returns: The places to go through, and what the scores are still to be multiplied with.
  @inline(__always)
  private func prepare(
    _ scores: UnsafeMutablePointer<Float>, visible: Int, position: UInt32, head: Int
  ) -> (padded: Int, scale: Float) {
    let padded = (visible + 15) / 16 * 16
    var scale = pass.options.scale
    if let biases = pass.biases {
      mapVectors(scores, into: scores, count: visible) { $0 * scale }
      biases.add(to: scores, head: head, position: Int(position), visible: visible)
      scale = 1
    }
    for place in visible..<padded { scores[place] = -1e30 }
    return (padded, scale)
  }

  /// Zeros in a row's places beyond those that it sees.
  @inline(__always)
  private func clear(
    _ target: UnsafeMutablePointer<BFloat16>, from visible: Int, _ memory: AttentionMemory
  ) {
    (target + visible).update(repeating: BFloat16(0), count: memory.line - visible)
  }

  private func draws(_ sample: UInt32, _ position: UInt32, _ head: Int) -> RandomPlace {
    RandomPlace(
      sample: sample, position: position &* UInt32(shape.headCount) &+ UInt32(head))
  }

  // MARK: Backward

  func backward(_ outputs: RoundedAttentionPass.Outputs) {
    let keys = KeyRows(group, shape)
    let memory = AttentionMemory(
      shape, keys: keys.count, chunkRows: RoundedAttentionTask.chunkRows, isBackward: true)
    for keyHead in keyHeads {
      let k = keys.view(inputs.k, keyHead, memory.rows)
      memory.keyColumns.write(columnsOf: k)
      memory.keyRows.write(rowsOf: k)
      memory.valueColumns.write(columnsOf: keys.view(inputs.v, keyHead, memory.rows))
      var isFirst = true
      forEachChunk(keyHead: keyHead) { chunk in
        backward(chunk, memory, outputs, keeping: isFirst ? 0 : 1)
        isFirst = false
      }
      keys.round(memory.dk, into: outputs.dk, keyHead)
      keys.round(memory.dv, into: outputs.dv, keyHead)
    }
    withExtendedLifetime(memory) {}
  }

  private func backward(
    _ chunk: Chunk, _ memory: AttentionMemory, _ outputs: RoundedAttentionPass.Outputs,
    keeping: Float
  ) {
    let (q, dy) = (view(inputs.q, chunk), view(outputs.dy, chunk))
    let y = outputs.y + place(chunk)
    TiledProduct.multiply(
      PairRows(q), memory.keyColumns.padded, into: .float32(memory.scores), cStride: memory.line)
    TiledProduct.multiply(
      PairRows(dy), memory.valueColumns.padded, into: .float32(memory.dp), cStride: memory.line)
    for (index, row) in chunk.rows.enumerated() {
      let start = index * memory.line
      let visible = chunk.span.visibleKeys(at: row)
      let rowIndex = chunk.span.rows.lowerBound + row
      gradientRow(
        memory.scores + start, memory.dp + start, visible: visible,
        position: position(chunk, row), head: chunk.head, sample: chunk.span.place.sample,
        logSum: outputs.logSums[rowIndex * shape.headCount + chunk.head],
        along: dotProduct(
          dy.pointer + index * shape.width, y + index * shape.width, count: width),
        p: memory.p + start, ds: memory.ds + start)
      clear(memory.p + start, from: visible, memory)
      clear(memory.ds + start, from: visible, memory)
    }
    let rows = chunk.rows.count
    let (p, ds) = (memory.view(memory.p, rows: rows), memory.view(memory.ds, rows: rows))
    TiledProduct.multiply(
      PairRows(ds), memory.keyRows, into: .bfloat16(outputs.dq + place(chunk)),
      cStride: shape.width)
    TiledProduct.multiplyTransposed(
      p, dy, into: memory.dv, cStride: width, keeping: keeping, memory: memory.copies)
    TiledProduct.multiplyTransposed(
      ds, q, into: memory.dk, cStride: width, keeping: keeping, memory: memory.copies)
  }

  /// From scores and the probabilities' gradients of one row to the probabilities after dropout and
  /// `scale · p · (dp − along)`.
  @inline(never)
  private func gradientRow(
    _ s: UnsafeMutablePointer<Float>, _ dp: UnsafePointer<Float>, visible: Int, position: UInt32,
    head: Int, sample: UInt32, logSum: Float, along: Float, p: UnsafeMutablePointer<BFloat16>,
    ds: UnsafeMutablePointer<BFloat16>
  ) {
    let (padded, scoreScale) = prepare(s, visible: visible, position: position, head: head)
    let scale = pass.options.scale
    let shift = Vector(repeating: -logSum)
    if let dropout = pass.options.dropout {
      dropout.forEachMask(count: visible, place: draws(sample, position, head)) { i, kept in
        let share = shift.addingProduct(Vector(s + i), Vector(repeating: scoreScale))
          .roundedExponential()
        let factor = Vector.zero.replacing(with: dropout.scale, where: kept)
        (share * factor).store(p + i)
        ((Vector(dp + i) * factor - along) * share * scale).store(ds + i)
      }
    } else {
      var i = 0
      while i < padded {
        let share = shift.addingProduct(Vector(s + i), Vector(repeating: scoreScale))
          .roundedExponential()
        share.store(p + i)
        ((Vector(dp + i) - along) * share * scale).store(ds + i)
        i &+= 16
      }
    }
  }
}
