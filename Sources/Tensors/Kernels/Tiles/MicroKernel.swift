/// Six rows of C by one to four vectors: as many sums as registers hold beside a line of B, so that
/// each number that is loaded serves several products, and no sum waits for the one before it.
struct MicroKernel<Line: TileAccumulators> {
  typealias Rows = GroupedRows<Line.Sum.Number>

  static var rows: Int { 6 }

  private var a = Line()
  private var b = Line()
  private var c = Line()
  private var d = Line()
  private var e = Line()
  private var f = Line()

  /// The sums of up to six rows, from `row` on, with a panel's columns.
  @inline(__always)
  init(_ x: Rows, row: Int, panel: UnsafeRawPointer) {
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
    for _ in 0..<x.groups {
      let groups = Line.reading(line)
      a.addProducts(MicroKernel.group(pa + place), groups)
      b.addProducts(MicroKernel.group(pb + place), groups)
      c.addProducts(MicroKernel.group(pc + place), groups)
      d.addProducts(MicroKernel.group(pd + place), groups)
      e.addProducts(MicroKernel.group(pe + place), groups)
      f.addProducts(MicroKernel.group(pf + place), groups)
      place &+= x.groupStep
      line += 4 &* BFloat16Panels.width
    }
  }

  /// A group of numbers in every lane.
  @inline(__always)
  private static func group(_ pointer: UnsafePointer<Line.Sum.Number>) -> SIMD16<Line.Sum> {
    SIMD16(repeating: UnsafeRawPointer(pointer).loadUnaligned(as: Line.Sum.self))
  }

  @inline(__always)
  func put<Target: TileStore>(
    _ target: Target, row: Int, count: Int
  ) where Target.Sum == Line.Sum {
    target.put(a, row: row)
    if count > 1 { target.put(b, row: row &+ 1) }
    if count > 2 { target.put(c, row: row &+ 2) }
    if count > 3 { target.put(d, row: row &+ 3) }
    if count > 4 { target.put(e, row: row &+ 4) }
    if count > 5 { target.put(f, row: row &+ 5) }
  }

  /// All rows of x with one panel.
  @inline(never)
  static func multiply<Target: TileStore>(
    _ x: Rows, panel: UnsafeRawPointer, into target: Target
  ) where Target.Sum == Line.Sum {
    var row = 0
    while row < x.rows {
      let count = min(rows, x.rows &- row)
      for index in 0..<count { target.prefetch(row: row &+ index) }
      MicroKernel(x, row: row, panel: panel).put(target, row: row, count: count)
      row &+= rows
    }
  }
}

/// All rows of A with one panel, as many vectors wide as the target has columns.
/// - Parameter panel: `[groups, 64]` of 32 bits.
func multiplyTiles<Target: TileStore>(
  _ a: GroupedRows<Target.Sum.Number>, panel: UnsafeRawPointer, into target: Target
) {
  switch (target.columns + 15) / 16 {
  case 1: MicroKernel<SIMD16<Target.Sum>>.multiply(a, panel: panel, into: target)
  case 2: MicroKernel<TwoVectors<Target.Sum>>.multiply(a, panel: panel, into: target)
  case 3: MicroKernel<ThreeVectors<Target.Sum>>.multiply(a, panel: panel, into: target)
  default: MicroKernel<FourVectors<Target.Sum>>.multiply(a, panel: panel, into: target)
  }
}
