import Glibc
import Tensors

/// One query row as the kernels see it.
struct AttentionRow {
  /// The row in the packed buffer.
  let index: Int
  /// How many of the group's keys it sees.
  let visible: Int
  let place: RandomPlace
}

/// Some query rows of one group.
struct Chunk {
  let rows: [AttentionRow]
  /// Whether the rows lie together in the packed buffer.
  let isContiguous: Bool
}

/// Rows of one head's columns as a dense matrix: where they lie, or copied next to one another.
struct Packed {
  let pointer: UnsafePointer<Float>
  let count: Int
  let stride: Int
  /// Keeps the copy alive.
  let owner: Tensor?

  func matrix(_ width: Int) -> MatrixView {
    MatrixView(pointer, rows: count, columns: width, stride: stride)
  }
}

extension AttentionPass {
  func heads(of keyHead: Int) -> Range<Int> {
    keyHead * shape.headsPerKeyHead..<(keyHead + 1) * shape.headsPerKeyHead
  }

  static func chunks(of group: AttentionLayout.Group) -> [Chunk] {
    var rows: [AttentionRow] = []
    rows.reserveCapacity(group.queryCount)
    for span in group.queries {
      for (offset, index) in span.rows.enumerated() {
        let place = RandomPlace(
          sample: span.place.sample, position: span.place.position &+ UInt32(offset))
        rows.append(
          AttentionRow(index: index, visible: span.visibleKeys(at: offset), place: place))
      }
    }
    return stride(from: 0, to: rows.count, by: AttentionPass.chunkRows).map { start in
      let part = Array(rows[start..<min(rows.count, start + AttentionPass.chunkRows)])
      let isContiguous = part.last.map { $0.index - part[0].index == part.count - 1 } ?? true
      return Chunk(rows: part, isContiguous: isContiguous && part.isAscending)
    }
  }

  // MARK: Copying rows together and apart

  /// The rows of one key head's columns.
  func pack(_ x: UnsafePointer<Float>, _ ranges: [Range<Int>], _ keyHead: Int) -> Packed {
    let (stride, width) = (shape.keyWidth, shape.headWidth)
    let column = keyHead * width
    let count = ranges.reduce(0) { $0 + $1.count }
    if ranges.count == 1 {
      return Packed(
        pointer: x + ranges[0].lowerBound * stride + column, count: count, stride: stride,
        owner: nil)
    }
    return copied(ranges.joined(), from: x, stride: stride, column: column, count: count)
  }

  /// The chunk's rows of one query head's columns.
  func pack(_ x: UnsafePointer<Float>, _ chunk: Chunk, _ head: Int) -> Packed {
    let column = head * shape.headWidth
    if chunk.isContiguous {
      return Packed(
        pointer: x + chunk.rows[0].index * shape.width + column, count: chunk.rows.count,
        stride: shape.width, owner: nil)
    }
    return copied(
      chunk.rows.lazy.map(\.index), from: x, stride: shape.width, column: column,
      count: chunk.rows.count)
  }

  private func copied(
    _ rows: some Sequence<Int>, from x: UnsafePointer<Float>, stride: Int, column: Int, count: Int
  ) -> Packed {
    let width = shape.headWidth
    let copy = Tensor(shape: [count, width]) { copy in
      for (index, row) in rows.enumerated() {
        (copy + index * width).update(from: x + row * stride + column, count: width)
      }
    }
    return Packed(pointer: UnsafePointer(copy.writable), count: count, stride: width, owner: copy)
  }

  /// Writes `[rows, head width]` to the chunk's rows of one head's columns, or adds it.
  func unpack(
    _ result: Tensor, _ chunk: Chunk, _ head: Int, into y: UnsafeMutablePointer<Float>,
    adding: Bool = false
  ) {
    let width = shape.headWidth
    result.read { result in
      for (index, row) in chunk.rows.enumerated() {
        let target = y + row.index * shape.width + head * width
        if adding {
          addVectors(result + index * width, to: target, count: width)
        } else {
          target.update(from: result + index * width, count: width)
        }
      }
    }
  }

  /// Adds a gradient `[keys, head width]` to the rows of one key head's columns.
  func add(
    _ gradient: Tensor, to target: UnsafeMutablePointer<Float>?, _ ranges: [Range<Int>],
    _ keyHead: Int
  ) {
    guard let target else { return }
    let width = shape.headWidth
    gradient.read { gradient in
      for (index, row) in ranges.joined().enumerated() {
        addVectors(
          gradient + index * width, to: target + row * shape.keyWidth + keyHead * width,
          count: width)
      }
    }
  }

  // MARK: One row of scores

  /// Replaces scores by what is proportional to their probabilities after dropout: the exponentials of
  /// the scores less the largest of them, and zero beyond the visible ones.
  /// - Parameter length: The line's places, whole vectors.
  /// - Returns: The log-sum-exp, and what the row's results are still to be multiplied with.
  func exponentials(
    _ line: UnsafeMutablePointer<Float>, row: AttentionRow, head: Int, length: Int
  ) -> (logSum: Float, scale: Float) {
    if row.visible == 0 {
      line.update(repeating: 0, count: length)
      return (-.infinity, 0)
    }
    let padded = fillLastVector(line, row)
    let maximum = maximumOfVectors(line, count: padded)
    var sums = Vector.zero
    if let dropout = options.dropout {
      dropout.forEachMask(count: row.visible, place: draws(row, head)) { i, kept in
        let share = (Vector(line + i) - maximum).exponential()
        sums += share
        Vector.zero.replacing(with: share, where: kept).store(line + i)
      }
    } else {
      for i in stride(from: 0, to: padded, by: 16) {
        let share = (Vector(line + i) - maximum).exponential()
        sums += share
        share.store(line + i)
      }
    }
    (line + row.visible).update(repeating: 0, count: length - row.visible)
    let sum = sums.laneSum
    return (maximum + log(sum), (options.dropout?.scale ?? 1) / sum)
  }

  /// Replaces scores by the probabilities after dropout, and the latter's gradients by those of scores
  /// before their scale, `p · (dp − along)`.
  /// - Parameters:
  ///   - length: The lines' places, whole vectors.
  ///   - along: The sum of p · dp.
  func scoreGradient(
    _ scores: UnsafeMutablePointer<Float>, _ gradients: UnsafeMutablePointer<Float>,
    row: AttentionRow, head: Int, length: Int, logSum: Float, along: Float
  ) {
    let padded = fillLastVector(scores, row)
    if let dropout = options.dropout {
      dropout.forEachMask(count: row.visible, place: draws(row, head)) { i, kept in
        let share = (Vector(scores + i) - logSum).exponential()
        let factor = Vector.zero.replacing(with: dropout.scale, where: kept)
        (share * factor).store(scores + i)
        ((Vector(gradients + i) * factor - along) * share).store(gradients + i)
      }
    } else {
      for i in stride(from: 0, to: padded, by: 16) {
        let share = (Vector(scores + i) - logSum).exponential()
        share.store(scores + i)
        ((Vector(gradients + i) - along) * share).store(gradients + i)
      }
    }
    for line in [scores, gradients] {
      (line + row.visible).update(repeating: 0, count: length - row.visible)
    }
  }

  /// Fills the last vector of visible scores with what is as good as no score.
  /// - Returns: The places of whole vectors.
  private func fillLastVector(_ line: UnsafeMutablePointer<Float>, _ row: AttentionRow) -> Int {
    let padded = (row.visible + 15) / 16 * 16
    (line + row.visible).update(repeating: -1e30, count: padded - row.visible)
    return padded
  }

  private func draws(_ row: AttentionRow, _ head: Int) -> RandomPlace {
    RandomPlace(
      sample: row.place.sample,
      position: row.place.position &* UInt32(shape.headCount) &+ UInt32(head))
  }

  // MARK: Relative bias

  func addBias(to line: UnsafeMutablePointer<Float>, row: AttentionRow, head: Int) {
    guard let bias = options.bias else { return }
    bias.table.value.read { table in
      for key in 0..<row.visible {
        let bucket = bias.bucket(key - Int(row.place.position))
        line[key] += table[bucket * shape.headCount + head]
      }
    }
  }

  /// Zeroed sums of the bias's gradient, `[groups, heads, buckets]`; nil where none is wanted.
  func emptyBiasGradients() -> Tensor? {
    guard let table = options.bias?.table, table.needsGradient else { return nil }
    return .zeros([layout.groups.count, shape.headCount, table.shape[0]])
  }

  func addBiasGradient(
    _ ds: UnsafePointer<Float>, row: AttentionRow, to buckets: UnsafeMutablePointer<Float>
  ) {
    guard let bias = options.bias else { return }
    for key in 0..<row.visible {
      buckets[bias.bucket(key - Int(row.place.position))] += ds[key]
    }
  }

  /// The sums over the groups as the table's gradient, `[buckets, heads]`.
  func biasGradient(_ partial: Tensor?) -> Tensor {
    guard let partial else { preconditionFailure("no gradient of the bias was wanted") }
    return partial.reshaped([partial.shape[0], shape.headCount * partial.width]).columnSums()
      .reshaped([shape.headCount, partial.width]).transposed()
  }
}

extension [AttentionRow] {
  fileprivate var isAscending: Bool {
    zip(self, dropFirst()).allSatisfy { $0.index + 1 == $1.index }
  }
}
