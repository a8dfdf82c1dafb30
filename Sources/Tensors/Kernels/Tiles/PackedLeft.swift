/// Part of a product's A, for the sums over some of its places: read where it lies if its rows are
/// pairs already, else from a copy, which is written in parts.
struct PackedLeft {
  let rows: Int
  private let view: ElementView<BFloat16>
  private let layout: Layout
  private let pairs: Int

  private enum Layout {
    case inPlace
    /// `[rows, pairs, 2]`, for sums of odd length.
    case padded
    /// `[panels, pairs, 48, 2]`, of a transposed A.
    case panels
  }

  /// Rows of a panel; a multiple of a tile's.
  static let panelRows = 48

  /// - Parameter inner: The part of the sums.
  init(_ a: ElementView<BFloat16>, _ form: TransposeMode, inner: Range<Int>) {
    pairs = (inner.count + 1) / 2
    rows = form == .firstTransposed ? a.columns : a.rows
    view = form.left(a, rows: 0..<rows, inner: inner)
    layout = form == .firstTransposed ? .panels : inner.count % 2 == 0 ? .inPlace : .padded
  }

  /// How many parts the copy has.
  var partCount: Int {
    layout == .inPlace ? 0 : (rows + PackedLeft.panelRows - 1) / PackedLeft.panelRows
  }

  /// How many float32 values' memory the copy takes.
  var copyCount: Int { partCount * partStep }

  /// The same of a transposed A.
  static func copyCount(rows: Int, inner: Int) -> Int {
    (rows + panelRows - 1) / panelRows * panelRows * ((inner + 1) / 2)
  }

  private var partStep: Int { PackedLeft.panelRows * pairs }

  private func rows(of index: Int) -> Range<Int> {
    index * PackedLeft.panelRows..<min(rows, (index + 1) * PackedLeft.panelRows)
  }

  /// Writes one part of the copy.
  func write(_ index: Int, into copy: UnsafeMutablePointer<Float>) {
    let part = copy + index * partStep
    let range = rows(of: index)
    if layout == .panels {
      interleaveRows(
        view.part(rows: 0..<view.rows, columns: range), into: part, width: PackedLeft.panelRows)
      return
    }
    let target = UnsafeMutableRawPointer(part)
      .bindMemory(to: BFloat16.self, capacity: 2 * partStep)
    for (index, row) in range.enumerated() {
      let line = target + index * 2 * pairs
      line.update(from: view.pointer + row * view.stride, count: view.columns)
      line[view.columns] = BFloat16(0)
    }
  }

  /// Calls the body with some rows, in pieces of `panelRows` or as one where they lie, each with its
  /// first row.
  /// - Parameter copy: Where the parts were written.
  @inline(__always)
  func forEachPiece(
    of range: Range<Int>, copy: UnsafeMutablePointer<Float>, _ body: (Int, PairRows) -> Void
  ) {
    if layout == .inPlace {
      let rows = PairRows(
        pointer: view.pointer, rows: view.rows, groups: pairs, rowStep: view.stride, groupStep: 2)
      return body(range.lowerBound, rows.part(range))
    }
    let isPanel = layout == .panels
    for first in stride(from: range.lowerBound, to: range.upperBound, by: PackedLeft.panelRows) {
      let index = first / PackedLeft.panelRows
      let part = UnsafeRawPointer(copy + index * partStep)
        .assumingMemoryBound(to: BFloat16.self)
      body(
        first,
        PairRows(
          pointer: part, rows: rows(of: index).count, groups: pairs,
          rowStep: isPanel ? 2 : 2 * pairs,
          groupStep: isPanel ? 2 * PackedLeft.panelRows : 2))
    }
  }
}
