import CPlatform

/// Rows of a product's left factor as bytes with a scale for each row, x ≈ scale · (q − 128): the
/// instruction for quads takes unsigned bytes on the left.
struct Int8Rows {
  /// What a zero is stored as.
  static let zero: Int32 = 128

  let rows: GroupedRows<UInt8>
  /// `[rows]`.
  let scales: UnsafePointer<Float>
  private let memory: Storage

  /// - Parameters:
  ///   - x: `[rows, inner]`.
  init(_ x: Operand, rows: Int, inner: Int) {
    switch x {
    case .float32(let values):
      self = values.read { Int8Rows(ElementView($0, rows: rows, columns: inner)) }
    case .bfloat16(let matrix):
      self = matrix.read { Int8Rows(ElementView($0.pointer, rows: rows, columns: inner)) }
    }
  }

  private init<Element: LaneElement>(_ x: ElementView<Element>) {
    let quads = (x.columns + 3) / 4
    let memory = Storage(count: x.rows * (quads + 1))
    let scales = memory.pointer + x.rows * quads
    let bytes = UnsafeMutableRawPointer(memory.pointer)
      .bindMemory(to: UInt8.self, capacity: 4 * x.rows * quads)
    Parallel.forEachRun(of: x.rows, grain: Parallel.rowGrain(width: x.columns)) { run in
      for row in run {
        scales[row] = roundToInt8(
          x.pointer + row * x.stride, count: x.columns, zero: Int8Rows.zero,
          into: bytes + 4 * row * quads)
      }
    }
    self.memory = memory
    self.scales = UnsafePointer(scales)
    rows = GroupedRows(
      pointer: bytes, rows: x.rows, groups: quads, rowStep: 4 * quads, groupStep: 4)
  }
}

/// q[i] = round(x[i] / scale) + zero, scale = max |x| / 127, and zeros that fill the last quad. If a
/// number is not finite, all q are zeros and the scale is NaN: so is then whatever is made of the row.
/// - Returns: The scale.
func roundToInt8<Element: LaneElement>(
  _ x: UnsafePointer<Element>, count: Int, zero: Int32, into q: UnsafeMutablePointer<UInt8>
) -> Float {
  var largest = Vector.zero
  // x · 0 is NaN of what is not finite, and so is the sum from there on.
  var check = Vector.zero
  forEachVector(count) { i in
    let next = Element.load(x + i)
    check += next * 0
    let size = next.replacing(with: -next, where: next .< 0)
    largest = largest.replacing(with: size, where: largest .< size)
  } partial: { i, lanes in
    let next = Element.load(x + i, first: lanes)
    check += next * 0
    let size = next.replacing(with: -next, where: next .< 0)
    largest = largest.replacing(with: size, where: largest .< size)
  }
  let padded = (count &+ 3) / 4 &* 4
  guard check.laneSum == 0 else {
    for i in 0..<padded { q[i] = UInt8(truncatingIfNeeded: zero) }
    return .nan
  }
  // The bound keeps the scale a normal number, of a row of zeros too.
  let inverse = min(127 / largest.laneMaximum, 8e37)
  // Of x + 1.5 · 2²³ the lowest bits are x, rounded to a whole number.
  let shift = Float(12_582_912 + zero)
  forEachVector(count) { i in
    let bytes = cplatform_low_bytes(Element.load(x + i) * inverse + shift)
    UnsafeMutableRawPointer(q + i).storeBytes(of: bytes, as: SIMD16<UInt8>.self)
  } partial: { i, lanes in
    let bytes = cplatform_low_bytes(Element.load(x + i, first: lanes) * inverse + shift)
    for lane in 0..<(padded &- i) { q[i &+ lane] = bytes[lane] }
  }
  return 1 / inverse
}
