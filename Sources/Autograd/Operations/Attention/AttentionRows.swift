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

  /// Replaces scores by probabilities, zero beyond the visible ones; returns their log-sum-exp.
  func softmaxRow(_ line: UnsafeMutablePointer<Float>, visible: Int, count: Int) -> Float {
    let maximum = maximumOfVectors(line, count: visible)
    mapVectors(line, into: line, count: visible) { ($0 - maximum).exponential() }
    let sum = sumVectors(line, count: visible) { $0 }
    let inverse = 1 / sum
    mapVectors(line, into: line, count: visible) { $0 * inverse }
    (line + visible).update(repeating: 0, count: count - visible)
    return maximum + log(sum)
  }

  /// Replaces scores by probabilities, given their log-sum-exp.
  func probabilities(
    _ line: UnsafeMutablePointer<Float>, logSum: Float, visible: Int, count: Int
  ) {
    mapVectors(line, into: line, count: visible) { ($0 - logSum).exponential() }
    (line + visible).update(repeating: 0, count: count - visible)
  }

  func dropProbabilities(_ line: UnsafeMutablePointer<Float>, row: AttentionRow, head: Int) {
    guard let dropout = options.dropout else { return }
    let place = RandomPlace(
      sample: row.place.sample,
      position: row.place.position &* UInt32(shape.headCount) &+ UInt32(head))
    dropout.apply(to: line, from: line, count: row.visible, place: place)
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
