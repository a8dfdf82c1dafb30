import Tensors

/// The key rows of a group: a head's columns of them as one matrix.
struct KeyRows {
  let count: Int
  private let ranges: [Range<Int>]
  private let stride: Int
  private let width: Int

  init(_ group: AttentionLayout.Group, _ shape: AttentionShape) {
    ranges = group.keys
    count = group.keyCount
    stride = shape.keyWidth
    width = shape.headWidth
  }

  /// The rows where they lie, or copied next to one another.
  /// - Parameter copy: Room for `[keys, head width]`.
  func view(
    _ x: UnsafePointer<BFloat16>, _ keyHead: Int, _ copy: UnsafeMutablePointer<BFloat16>
  ) -> ElementView<BFloat16> {
    if let only = ranges.first, ranges.count == 1 {
      return ElementView(
        x + (only.lowerBound * stride + keyHead * width), rows: count, columns: width,
        stride: stride)
    }
    var target = copy
    for row in ranges.joined() {
      copyVectors(x + (row * stride + keyHead * width), to: target, count: width)
      target += width
    }
    return ElementView(UnsafePointer(copy), rows: count, columns: width)
  }

  /// Writes `[keys, head width]` to where the rows lie.
  func round(_ x: UnsafePointer<Float>, into target: UnsafeMutablePointer<BFloat16>, _ keyHead: Int)
  {
    for (index, row) in ranges.joined().enumerated() {
      roundVectors(
        x + index * width, into: target + (row * stride + keyHead * width), count: width)
    }
  }
}

/// What a task of attention writes on the way, in one block.
struct AttentionMemory {
  private let block: Tensor
  /// From one row of scores to the next, in numbers: the keys, up to a multiple of sixteen.
  let line: Int
  /// Keys, up to an even number.
  private let evenKeys: Int

  /// Scores and the gradients of probabilities, `[chunk rows, line]`.
  let scores: UnsafeMutablePointer<Float>
  let dp: UnsafeMutablePointer<Float>
  /// Probabilities and the gradients of scores, `[chunk rows, line]`.
  let p: UnsafeMutablePointer<BFloat16>
  let ds: UnsafeMutablePointer<BFloat16>
  /// What each row of the probabilities' products is multiplied with, `[chunk rows]`.
  let rowScales: UnsafeMutablePointer<Float>
  /// Gradients of keys and values, `[keys up to an even number, head width]`.
  let dk: UnsafeMutablePointer<Float>
  let dv: UnsafeMutablePointer<Float>
  /// Room for a copy of key rows, `[keys, head width]`.
  let rows: UnsafeMutablePointer<BFloat16>
  /// Room for the copies of `TiledProduct.multiplyTransposed`.
  let copies: UnsafeMutablePointer<Float>
  /// Factors of scores, of results, and of the gradients of probabilities and of queries.
  let keyColumns: PairPanels
  let valueRows: PairPanels
  let valueColumns: PairPanels
  let keyRows: PairPanels

  init(_ shape: AttentionShape, keys: Int, chunkRows: Int, isBackward: Bool) {
    let width = shape.headWidth
    line = (keys + 15) / 16 * 16
    evenKeys = (keys + 1) / 2 * 2
    let scoreCount = chunkRows * line
    let columnsCount = PairPanels.count(columns: keys, inner: width)
    let rowsCount = PairPanels.count(columns: width, inner: keys)
    let backward = isBackward ? 1 : 0
    let copyCount = TiledProduct.copyCount(
      rows: evenKeys, inner: chunkRows, columns: width)
    let sizes = [
      scoreCount, backward * scoreCount, scoreCount / 2, backward * scoreCount / 2,
      backward * evenKeys * width, backward * evenKeys * width, (keys * width + 1) / 2,
      backward * copyCount, columnsCount, (1 - backward) * rowsCount, backward * columnsCount,
      backward * rowsCount, (1 - backward) * chunkRows,
    ].map { ($0 + 15) / 16 * 16 }
    block = Tensor(shape: [sizes.reduce(0, +)]) { _ in }
    var next = block.writable
    let places = sizes.map { size in
      defer { next += size }
      return next
    }
    func rounded(_ index: Int) -> UnsafeMutablePointer<BFloat16> {
      UnsafeMutableRawPointer(places[index]).assumingMemoryBound(to: BFloat16.self)
    }
    (scores, dp, p, ds) = (places[0], places[1], rounded(2), rounded(3))
    (dk, dv, rows, copies) = (places[4], places[5], rounded(6), places[7])
    keyColumns = PairPanels(places[8], columns: keys, inner: width)
    valueRows = PairPanels(places[9], columns: width, inner: keys)
    valueColumns = PairPanels(places[10], columns: keys, inner: width)
    keyRows = PairPanels(places[11], columns: width, inner: keys)
    rowScales = places[12]
  }

  /// Some rows of probabilities as a factor whose sums go over the keys.
  func view(_ x: UnsafeMutablePointer<BFloat16>, rows: Int) -> ElementView<BFloat16> {
    ElementView(UnsafePointer(x), rows: rows, columns: evenKeys, stride: line)
  }
}
