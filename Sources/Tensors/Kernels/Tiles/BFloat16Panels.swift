import CPlatform

/// A product's right factor as tiles read it, `[panels, pairs, 64, 2]`: panels of 64 columns, in each
/// the pairs of numbers that are neighbours along the sum, column by column. The columns that fill the
/// last sixteen are zero; those beyond are never read.
///
/// A view: whoever made the memory keeps it alive.
public struct BFloat16Panels {
  /// Columns of a panel; a pair takes the place of one float32.
  static let width = 64

  let pointer: UnsafeMutablePointer<Float>
  public let columns: Int
  let pairs: Int

  /// Panels yet to be written.
  /// - Parameters:
  ///   - pointer: `count(columns:inner:)` values.
  ///   - inner: The length of the sums.
  public init(_ pointer: UnsafeMutablePointer<Float>, columns: Int, inner: Int) {
    self.pointer = pointer
    self.columns = columns
    pairs = (inner + 1) / 2
  }

  /// Panels yet to be written of B.
  init(_ pointer: UnsafeMutablePointer<Float>, of b: RightFactor<BFloat16>) {
    self.init(pointer, columns: b.columns, inner: b.inner)
  }

  /// How many float32 values' memory the panels take.
  public static func count(columns: Int, inner: Int) -> Int {
    (columns + width - 1) / width * width * ((inner + 1) / 2)
  }

  var count: Int { (columns + BFloat16Panels.width - 1) / BFloat16Panels.width }

  func panel(_ index: Int) -> UnsafeMutablePointer<Float> {
    pointer + index * pairs * BFloat16Panels.width
  }

  private func columns(of index: Int) -> Range<Int> {
    index * BFloat16Panels.width..<min(columns, (index + 1) * BFloat16Panels.width)
  }

  /// The panels from one on.
  func panels(from first: Int, columns: Int) -> BFloat16Panels {
    BFloat16Panels(panel(first), columns: columns, inner: 2 * pairs)
  }

  /// The same panels with the zeros after the last column as columns, so that all of them are whole
  /// vectors.
  public var padded: BFloat16Panels {
    BFloat16Panels(pointer, columns: (columns + 15) / 16 * 16, inner: 2 * pairs)
  }

  /// Reads a column's numbers as float32.
  /// - Parameter count: How many; the length of the sums.
  func expand(_ column: Int, into target: UnsafeMutablePointer<Float>, count: Int) {
    let line = UnsafeRawPointer(
      panel(column / BFloat16Panels.width) + column % BFloat16Panels.width)
    for place in 0..<count {
      let byte = 4 * (place / 2 * BFloat16Panels.width) + 2 * (place % 2)
      target[place] = line.load(fromByteOffset: byte, as: BFloat16.self).float
    }
  }

  /// Writes all panels.
  func write(_ b: RightFactor<BFloat16>) {
    for index in 0..<count { write(index, of: b) }
  }

  /// Writes one panel.
  func write(_ index: Int, of b: RightFactor<BFloat16>) {
    let (range, panel, view) = (columns(of: index), panel(index), b.view)
    guard b.isTransposed else {
      let part = view.part(rows: 0..<view.rows, columns: range)
      return interleaveRows(part, into: panel, width: BFloat16Panels.width)
    }
    for first in stride(from: 0, to: range.count, by: 16) {
      let start = range.lowerBound + first
      let part = view.part(
        rows: start..<min(range.upperBound, start + 16), columns: 0..<view.columns)
      transposePairs(part, into: panel + first, width: BFloat16Panels.width)
    }
  }
}

/// Puts every two rows of x together, number by number, and zeros that fill the last sixteen.
/// - Parameters:
///   - x: `[inner, columns]`.
///   - target: `[pairs, width]` pairs.
func interleaveRows(
  _ x: ElementView<BFloat16>, into target: UnsafeMutablePointer<Float>, width: Int
) {
  let pairs = (x.rows + 1) / 2
  for pair in 0..<pairs {
    let line = UnsafeMutableRawPointer(target + pair * width)
    let low = x.pointer + 2 * pair * x.stride
    let hasHigh = 2 * pair + 1 < x.rows
    let high = hasHigh ? low + x.stride : low
    let mask = SIMD16<UInt32>(repeating: hasHigh ? 0xffff_0000 : 0)
    // Rows that are wider than the part wanted: the processor does not see what will be read.
    for line in stride(from: 0, to: x.columns, by: 32) {
      cplatform_prefetch(low + (16 &* x.stride &+ line))
      cplatform_prefetch(low + (17 &* x.stride &+ line))
    }
    var column = 0
    while column &+ 16 <= x.columns {
      let both = widened(low + column) | ((widened(high + column) &<< 16) & mask)
      line.storeBytes(of: both, toByteOffset: 4 &* column, as: SIMD16<UInt32>.self)
      column &+= 16
    }
    if column < x.columns {
      let rest = x.columns &- column
      let both =
        widened(low + column, first: rest)
        | ((widened(high + column, first: rest) &<< 16) & mask)
      line.storeBytes(of: both, toByteOffset: 4 &* column, as: SIMD16<UInt32>.self)
    }
  }
}

@inline(__always)
private func widened(_ x: UnsafePointer<BFloat16>) -> SIMD16<UInt32> {
  SIMD16<UInt32>(lanesOf: UnsafeRawPointer(x).loadUnaligned(as: SIMD16<UInt16>.self))
}

/// As many as there are, fewer than sixteen; the others are zero.
@inline(__always)
private func widened(_ x: UnsafePointer<BFloat16>, first count: Int) -> SIMD16<UInt32> {
  unsafeBitCast(BFloat16.load(x, first: count), to: SIMD16<UInt32>.self) &>> 16
}

/// Writes up to sixteen rows of x as columns of pairs, and zeros where x ends.
/// - Parameters:
///   - x: `[up to 16, inner]`.
///   - target: `[pairs, width]` pairs, of which sixteen columns are written.
private func transposePairs(
  _ x: ElementView<BFloat16>, into target: UnsafeMutablePointer<Float>, width: Int
) {
  let pairs = (x.columns + 1) / 2
  withUnsafeTemporaryAllocation(of: Vector.self, capacity: 32) { block in
    guard let start = block.baseAddress else { return }
    var first = 0
    while first < pairs {
      let count = min(16, pairs &- first)
      for row in 0..<16 {
        start[row] = pairsOfRow(x, row, from: 2 &* first)
        // The next sixteen rows: a row is too short for the processor to see what will be read.
        cplatform_prefetch(x.pointer + ((row &+ 16) &* x.stride &+ 2 &* first))
      }
      let result = transposed(start, start + 16)
      for pair in 0..<count { result[pair].store(target + (first &+ pair) &* width) }
      first &+= 16
    }
  }
}

/// Sixteen pairs of a row, zero beyond its end; of a row that x lacks, zeros.
@inline(__always)
private func pairsOfRow(_ x: ElementView<BFloat16>, _ row: Int, from column: Int) -> Vector {
  if row >= x.rows { return .zero }
  let place = x.pointer + (row &* x.stride &+ column)
  if column &+ 32 <= x.columns {
    return UnsafeRawPointer(place).loadUnaligned(as: Vector.self)
  }
  // Two numbers next to one another are a pair as they lie.
  var pairs = SIMD16<UInt32>.zero
  let rest = x.columns &- column
  var next = 0
  if rest >= 16 {
    pairs.lowHalf = UnsafeRawPointer(place).loadUnaligned(as: SIMD8<UInt32>.self)
    next = 16
  }
  if rest &- next >= 8 {
    let four = UnsafeRawPointer(place + next).loadUnaligned(as: SIMD4<UInt32>.self)
    if next == 0 { pairs.lowHalf.lowHalf = four } else { pairs.highHalf.lowHalf = four }
    next &+= 8
  }
  while next < rest {
    pairs[next / 2] |= UInt32(place[next].bits) << UInt32(16 &* (next & 1))
    next &+= 1
  }
  return unsafeBitCast(pairs, to: Vector.self)
}
