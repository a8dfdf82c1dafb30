import CPlatform

/// A product's left factor as tiles read it: pairs of bfloat16 numbers that are neighbours along
/// the sum.
public struct PairRows {
  let pointer: UnsafePointer<BFloat16>
  public let rows: Int
  /// The length of the sums in pairs.
  let pairs: Int
  /// Numbers from one row's pair to the next row's, and from one pair of a row to its next.
  let rowStep: Int
  let pairStep: Int

  /// The rows of a matrix where they lie.
  /// - Precondition: An even number of columns.
  public init(_ x: ElementView<BFloat16>) {
    precondition(x.columns % 2 == 0, "rows of \(x.columns) numbers are not pairs")
    self.init(x.pointer, rows: x.rows, pairs: x.columns / 2, rowStep: x.stride, pairStep: 2)
  }

  init(
    _ pointer: UnsafePointer<BFloat16>, rows: Int, pairs: Int, rowStep: Int, pairStep: Int
  ) {
    self.pointer = pointer
    self.rows = rows
    self.pairs = pairs
    self.rowStep = rowStep
    self.pairStep = pairStep
  }

  func part(_ range: Range<Int>) -> PairRows {
    PairRows(
      pointer + range.lowerBound * rowStep, rows: range.count, pairs: pairs, rowStep: rowStep,
      pairStep: pairStep)
  }
}

/// Where a tile goes: some columns of C from its first row on.
struct TileTarget {
  let result: ProductResult
  let stride: Int
  let columns: Int
  let sum: ProductSum

  /// Asks for the memory of one line, which is there once the line's sums are.
  @inline(__always)
  func prefetch(row: Int) {
    let bytes = result.elementBytes
    let line = result.pointer + row &* stride &* bytes
    for place in Swift.stride(from: 0, to: columns &* bytes, by: 64) {
      cplatform_prefetch_for_writing(line + place)
    }
  }

  /// Writes the columns of one line that C has.
  @inline(__always)
  func put<Line: TileLine>(_ line: Line, row: Int) {
    switch result {
    case .float32(let c): put(line, c + row &* stride)
    case .bfloat16(let c): put(line, c + row &* stride)
    }
  }

  @inline(__always)
  private func put<Line: TileLine, Element: LaneElement>(
    _ line: Line, _ c: UnsafeMutablePointer<Element>
  ) {
    if columns >= 16 &* Line.vectorCount {
      line.forEachVector(from: 0) { column, x in
        var y = x * sum.scale
        if let bias = sum.bias { y += Vector(bias + column) }
        if sum.keeping != 0 { y += Element.load(UnsafePointer(c + column)) * sum.keeping }
        Element.store(y, c + column)
      }
    } else {
      line.forEachVector(from: 0) { column, x in put(x, column, min(16, columns &- column), c) }
    }
  }

  @inline(never)
  private func put<Element: LaneElement>(
    _ x: Vector, _ column: Int, _ lanes: Int, _ c: UnsafeMutablePointer<Element>
  ) {
    var y = x * sum.scale
    if let bias = sum.bias { y += Vector(bias + column, first: lanes) }
    if sum.keeping != 0 { y += Element.load(UnsafePointer(c + column), first: lanes) * sum.keeping }
    Element.store(y, c + column, first: lanes)
  }
}

/// Six rows of C by one to four vectors: as many sums as registers hold beside a line of B, so that
/// each number that is loaded serves several products, and no sum waits for the one before it.
struct PairTile<Line: TileLine> {
  static var rows: Int { 6 }

  private var a = Line.zero
  private var b = Line.zero
  private var c = Line.zero
  private var d = Line.zero
  private var e = Line.zero
  private var f = Line.zero

  /// The sums of up to six rows, from `row` on, with a panel's columns.
  @inline(__always)
  init(_ x: PairRows, row: Int, panel: UnsafePointer<Float>) {
    let last = x.rows &- 1
    // Rows beyond the last are the last once more; nobody reads them.
    let pa = x.pointer + row &* x.rowStep
    let pb = x.pointer + min(row &+ 1, last) &* x.rowStep
    let pc = x.pointer + min(row &+ 2, last) &* x.rowStep
    let pd = x.pointer + min(row &+ 3, last) &* x.rowStep
    let pe = x.pointer + min(row &+ 4, last) &* x.rowStep
    let pf = x.pointer + min(row &+ 5, last) &* x.rowStep
    var place = 0
    var line = panel
    for _ in 0..<x.pairs {
      let pairs = Line(line)
      a.addProducts(PairTile.pair(pa + place), pairs)
      b.addProducts(PairTile.pair(pb + place), pairs)
      c.addProducts(PairTile.pair(pc + place), pairs)
      d.addProducts(PairTile.pair(pd + place), pairs)
      e.addProducts(PairTile.pair(pe + place), pairs)
      f.addProducts(PairTile.pair(pf + place), pairs)
      place &+= x.pairStep
      line += PairPanels.width
    }
  }

  /// A pair of numbers in every lane.
  @inline(__always)
  private static func pair(_ pointer: UnsafePointer<BFloat16>) -> Vector {
    Vector(repeating: UnsafeRawPointer(pointer).loadUnaligned(as: Float.self))
  }

  @inline(__always)
  func put(_ target: TileTarget, row: Int, count: Int) {
    target.put(a, row: row)
    if count > 1 { target.put(b, row: row &+ 1) }
    if count > 2 { target.put(c, row: row &+ 2) }
    if count > 3 { target.put(d, row: row &+ 3) }
    if count > 4 { target.put(e, row: row &+ 4) }
    if count > 5 { target.put(f, row: row &+ 5) }
  }

  /// All rows of x with one panel.
  @inline(never)
  static func multiply(_ x: PairRows, panel: UnsafePointer<Float>, into target: TileTarget) {
    var row = 0
    while row < x.rows {
      let count = min(rows, x.rows &- row)
      for index in 0..<count { target.prefetch(row: row &+ index) }
      PairTile(x, row: row, panel: panel).put(target, row: row, count: count)
      row &+= rows
    }
  }
}
