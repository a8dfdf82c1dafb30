import Glibc
import Tensors

/// The forward and backward kernels of attention, one task for each group and key head.
///
/// A task works on dense little matrices: runs of rows that do not lie together are first copied
/// next to one another. Query rows are taken a chunk at a time, so that scores stay in the cache.
struct AttentionPass {
  let shape: AttentionShape
  let layout: AttentionLayout
  let options: AttentionOptions
  let queries: Tensor
  let keys: Tensor
  let values: Tensor

  static let chunkRows = 64

  /// From one row of scores to the next: whole vectors.
  private static func lineLength(_ keys: Packed) -> Int { (keys.count + 15) / 16 * 16 }

  private var taskCount: Int { layout.groups.count * shape.keyHeadCount }

  /// - Returns: y of the queries' shape, and the scores' log-sum-exp, `[query rows, heads]`.
  func forward() -> (y: Tensor, logSums: Tensor) {
    let y = Tensor.zeros(queries.shape)
    let logSums = Tensor(shape: [shape.queryRows, shape.headCount]) { _ in }
    read(queries, keys, values) { q, k, v in
      Parallel.forEach(taskCount) { task in
        let group = layout.groups[task / shape.keyHeadCount]
        let keyHead = task % shape.keyHeadCount
        let packedKeys = pack(k, group.keys, keyHead)
        let packedValues = pack(v, group.keys, keyHead)
        for chunk in AttentionPass.chunks(of: group) {
          for head in heads(of: keyHead) {
            forwardChunk(
              chunk, head: head, q: q, keys: packedKeys, values: packedValues, y: y.writable,
              logSums: logSums.writable)
          }
        }
        withExtendedLifetime((packedKeys, packedValues)) {}
      }
    }
    return (y, logSums)
  }

  private func forwardChunk(
    _ chunk: Chunk, head: Int, q: UnsafePointer<Float>, keys: Packed, values: Packed,
    y: UnsafeMutablePointer<Float>, logSums: UnsafeMutablePointer<Float>
  ) {
    let (rows, line) = (chunk.rows.count, AttentionPass.lineLength(keys))
    let scores = Tensor(shape: [rows, line]) { _ in }
    let s = scores.writable
    let packedQueries = pack(q, chunk, head)
    singleThreadProduct(
      packedQueries.matrix(shape.headWidth), keys.matrix(shape.headWidth), .secondTransposed,
      into: s, cStride: line, scale: options.scale)
    let scales = chunk.rows.enumerated().map { index, row in
      addBias(to: s + index * line, row: row, head: head)
      let (logSum, scale) = exponentials(s + index * line, row: row, head: head, length: line)
      logSums[row.index * shape.headCount + head] = logSum
      return scale
    }
    let result = Tensor(shape: [rows, shape.headWidth]) { result in
      singleThreadProduct(
        MatrixView(UnsafePointer(s), rows: rows, columns: keys.count, stride: line),
        values.matrix(shape.headWidth), .plain, into: result, cStride: shape.headWidth)
      for (index, scale) in scales.enumerated() {
        let row = result + index * shape.headWidth
        mapVectors(row, into: row, count: shape.headWidth) { $0 * scale }
      }
    }
    unpack(result, chunk, head, into: y)
    withExtendedLifetime((scores, packedQueries)) {}
  }

  /// Adds to the gradients of queries, keys and values; those that are nil are not wanted.
  func backward(
    dy: Tensor, y: Tensor, logSums: Tensor, dq: UnsafeMutablePointer<Float>?,
    dk: UnsafeMutablePointer<Float>?, dv: UnsafeMutablePointer<Float>?, partialBias: Tensor?
  ) {
    read(queries, keys, values) { q, k, v in
      read(dy, y, logSums) { dy, y, logSums in
        Parallel.forEach(taskCount) { task in
          let group = layout.groups[task / shape.keyHeadCount]
          let keyHead = task % shape.keyHeadCount
          let packedKeys = pack(k, group.keys, keyHead)
          let packedValues = pack(v, group.keys, keyHead)
          let keyGradient = Tensor.zeros([packedKeys.count, shape.headWidth])
          let valueGradient = Tensor.zeros([packedKeys.count, shape.headWidth])
          for chunk in AttentionPass.chunks(of: group) {
            for head in heads(of: keyHead) {
              let bias = partialBias.map {
                $0.writable + (task / shape.keyHeadCount * shape.headCount + head) * $0.width
              }
              backwardChunk(
                chunk, head: head, q: q, dy: dy, y: y, logSums: logSums, keys: packedKeys,
                values: packedValues, dq: dq, dk: keyGradient.writable,
                dv: valueGradient.writable, bias: bias)
            }
          }
          add(keyGradient, to: dk, group.keys, keyHead)
          add(valueGradient, to: dv, group.keys, keyHead)
          withExtendedLifetime((packedKeys, packedValues)) {}
        }
      }
    }
  }

  private func backwardChunk(
    _ chunk: Chunk, head: Int, q: UnsafePointer<Float>, dy: UnsafePointer<Float>,
    y: UnsafePointer<Float>, logSums: UnsafePointer<Float>, keys: Packed, values: Packed,
    dq: UnsafeMutablePointer<Float>?, dk: UnsafeMutablePointer<Float>,
    dv: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>?
  ) {
    let (rows, width, line) = (chunk.rows.count, shape.headWidth, AttentionPass.lineLength(keys))
    let scratch = Tensor(shape: [2, rows, line]) { _ in }
    let (p, ds) = (scratch.writable, scratch.writable + rows * line)
    let packedQueries = pack(q, chunk, head)
    let packedGradient = pack(dy, chunk, head)
    singleThreadProduct(
      packedQueries.matrix(width), keys.matrix(width), .secondTransposed, into: p, cStride: line,
      scale: options.scale)
    singleThreadProduct(
      packedGradient.matrix(width), values.matrix(width), .secondTransposed, into: ds,
      cStride: line)
    for (index, row) in chunk.rows.enumerated() {
      let start = index * line
      let place = row.index * shape.width + head * width
      addBias(to: p + start, row: row, head: head)
      scoreGradient(
        p + start, ds + start, row: row, head: head, length: line,
        logSum: logSums[row.index * shape.headCount + head],
        along: sumVectors(dy + place, y + place, count: width) { $0 * $1 })
      if let bias { addBiasGradient(ds + start, row: row, to: bias) }
    }
    func matrix(_ x: UnsafePointer<Float>) -> MatrixView {
      MatrixView(x, rows: rows, columns: keys.count, stride: line)
    }
    singleThreadProduct(
      matrix(p), packedGradient.matrix(width), .firstTransposed, into: dv, cStride: width,
      keeping: 1)
    singleThreadProduct(
      matrix(ds), packedQueries.matrix(width), .firstTransposed, into: dk, cStride: width,
      scale: options.scale, keeping: 1)
    if let dq {
      let result = Tensor(shape: [rows, width]) { result in
        singleThreadProduct(
          matrix(ds), keys.matrix(width), .plain, into: result, cStride: width, scale: options.scale
        )
      }
      unpack(result, chunk, head, into: dq, adding: true)
    }
    withExtendedLifetime((scratch, packedQueries, packedGradient)) {}
  }
}
