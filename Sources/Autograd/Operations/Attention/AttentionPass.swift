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
    let scores = Tensor(shape: [chunk.rows.count, keys.count]) { _ in }
    let s = scores.writable
    let packedQueries = pack(q, chunk, head)
    singleThreadProduct(
      packedQueries.matrix(shape.headWidth), keys.matrix(shape.headWidth), .secondTransposed,
      into: s,
      cStride: keys.count, scale: options.scale)
    for (index, row) in chunk.rows.enumerated() {
      let line = s + index * keys.count
      addBias(to: line, row: row, head: head)
      let logSum = softmaxRow(line, visible: row.visible, count: keys.count)
      logSums[row.index * shape.headCount + head] = logSum
      dropProbabilities(line, row: row, head: head)
    }
    let result = Tensor(shape: [chunk.rows.count, shape.headWidth]) { result in
      singleThreadProduct(
        MatrixView(UnsafePointer(s), rows: chunk.rows.count, columns: keys.count),
        values.matrix(shape.headWidth), .plain, into: result, cStride: shape.headWidth)
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
    let (rows, count, width) = (chunk.rows.count, keys.count, shape.headWidth)
    let scratch = Tensor(shape: [3, rows, count]) { _ in }
    let (p, dropped, ds) = (
      scratch.writable, scratch.writable + rows * count, scratch.writable + 2 * rows * count
    )
    let packedQueries = pack(q, chunk, head)
    let packedGradient = pack(dy, chunk, head)
    singleThreadProduct(
      packedQueries.matrix(width), keys.matrix(width), .secondTransposed, into: p, cStride: count,
      scale: options.scale)
    singleThreadProduct(
      packedGradient.matrix(width), values.matrix(width), .secondTransposed, into: ds,
      cStride: count)
    for (index, row) in chunk.rows.enumerated() {
      let start = index * count
      let place = row.index * shape.width + head * width
      let along = sumVectors(dy + place, y + place, count: width) { $0 * $1 }
      addBias(to: p + start, row: row, head: head)
      probabilities(
        p + start, logSum: logSums[row.index * shape.headCount + head], visible: row.visible,
        count: count)
      (dropped + start).update(from: p + start, count: count)
      dropProbabilities(dropped + start, row: row, head: head)
      dropProbabilities(ds + start, row: row, head: head)
      mapVectors(p + start, ds + start, into: ds + start, count: count) { p, dp in
        p * (dp - along)
      }
      if let bias { addBiasGradient(ds + start, row: row, to: bias) }
    }
    let dsMatrix = MatrixView(UnsafePointer(ds), rows: rows, columns: count)
    singleThreadProduct(
      MatrixView(UnsafePointer(dropped), rows: rows, columns: count), packedGradient.matrix(width),
      .firstTransposed, into: dv, cStride: width, keeping: 1)
    singleThreadProduct(
      dsMatrix, packedQueries.matrix(width), .firstTransposed, into: dk, cStride: width,
      scale: options.scale,
      keeping: 1)
    if let dq {
      let result = Tensor(shape: [rows, width]) { result in
        singleThreadProduct(
          dsMatrix, keys.matrix(width), .plain, into: result, cStride: width, scale: options.scale)
      }
      unpack(result, chunk, head, into: dq, adding: true)
    }
    withExtendedLifetime((scratch, packedQueries, packedGradient)) {}
  }
}
