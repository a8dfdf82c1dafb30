import Tensors

/// What a task of attention writes on the way. Whoever uses its pointers keeps it alive.
struct AttentionWorkspace<Number: FusedNumber> {
  /// From one row of scores to the next.
  let line: Int
  /// Scores and the gradients of probabilities, `[tile rows, line]`.
  let scores: NumberBuffer<Float>
  let dp: NumberBuffer<Float>
  /// Probabilities and the gradients of scores, `[tile rows, line]`: in float32 where those were.
  let p: NumberBuffer<Number>
  let ds: NumberBuffer<Number>
  /// What each row of a tile's results is multiplied with, `[tile rows]`.
  let rowScales: NumberBuffer<Float>
  /// Sums of the gradients of keys and values, `[innerCount(keys), head width]`.
  let dk: NumberBuffer<Float>
  let dv: NumberBuffer<Float>
  /// Room for the copies of transposed products.
  let copies: NumberBuffer<Float>
  /// Room for packed operands: keys and values as columns; values (forward) or keys (backward) as rows.
  let keyColumns: NumberBuffer<Float>
  let valueColumns: NumberBuffer<Float>
  let rows: NumberBuffer<Float>
  /// Room for key rows that do not lie together, `[keys, head width]`.
  let keyCopy: NumberBuffer<Number>
  let valueCopy: NumberBuffer<Number>

  /// - Parameter sumsKeys: Whether gradients of keys and values are wanted.
  init(
    _ shape: AttentionShape, _ keys: KeyRows<Number>, tileRows: Int, isBackward: Bool = false,
    sumsKeys: Bool = false
  ) {
    func buffer<Element>(_ count: Int, if isUsed: Bool = true) -> NumberBuffer<Element> {
      NumberBuffer(count: isUsed ? count : 0)
    }
    let width = shape.headWidth
    line = SoftmaxRow.length(keys.count)
    let count = tileRows * line
    scores = buffer(count)
    dp = buffer(count, if: isBackward)
    p = scores as? NumberBuffer<Number> ?? buffer(count)
    ds = dp as? NumberBuffer<Number> ?? buffer(count, if: isBackward)
    rowScales = buffer(tileRows, if: !isBackward)
    dk = buffer(keys.innerCount * width, if: sumsKeys)
    dv = buffer(keys.innerCount * width, if: sumsKeys)
    copies = buffer(
      Number.copyCount(rows: keys.innerCount, inner: tileRows, columns: width), if: sumsKeys)
    keyColumns = buffer(Number.packedCount(inner: width, columns: keys.count))
    valueColumns = buffer(Number.packedCount(inner: width, columns: keys.count), if: isBackward)
    rows = buffer(Number.packedCount(inner: keys.count, columns: width))
    keyCopy = buffer(keys.count * width, if: !keys.areTogether)
    valueCopy = buffer(keys.count * width, if: !keys.areTogether)
  }

  /// A tile's lines as an operand.
  func view(
    _ lines: NumberBuffer<Number>, _ tile: AttentionTile, columns: Int
  ) -> ElementView<Number> {
    ElementView(UnsafePointer(lines.pointer), rows: tile.count, columns: columns, stride: line)
  }
}

/// The key rows of a group: a head's columns of them as one matrix.
struct KeyRows<Number: FusedNumber> {
  let count: Int
  private let ranges: [Range<Int>]
  private let shape: AttentionShape

  init(_ group: AttentionLayout.Group, _ shape: AttentionShape) {
    ranges = group.keys
    count = group.keyCount
    self.shape = shape
  }

  /// How many numbers of a row take part in a sum over the keys.
  var innerCount: Int { Number.innerCount(count) }

  var areTogether: Bool { ranges.count == 1 }

  private func start(_ row: Int, _ head: Int) -> Int {
    row * shape.keyWidth + head * shape.headWidth
  }

  /// The rows where they lie, or copied next to one another.
  func view(
    _ x: UnsafePointer<Number>, _ head: Int, copy: NumberBuffer<Number>
  ) -> ElementView<Number> {
    let width = shape.headWidth
    if areTogether {
      return ElementView(
        x + start(ranges[0].lowerBound, head), rows: count, columns: width,
        stride: shape.keyWidth)
    }
    for (index, row) in ranges.joined().enumerated() {
      copyVectors(x + start(row, head), to: copy.pointer + index * width, count: width)
    }
    return ElementView(UnsafePointer(copy.pointer), rows: count, columns: width)
  }

  /// Writes `[keys, head width]` to where the rows lie.
  func store(_ x: NumberBuffer<Float>, into target: UnsafeMutablePointer<Number>, _ head: Int) {
    for (index, row) in ranges.joined().enumerated() {
      roundVectors(
        x.pointer + index * shape.headWidth, into: target + start(row, head),
        count: shape.headWidth)
    }
  }
}
