/// A weight `[columns, inner]` in signed bytes as tiles read it, `[panels, quads, 64, 4]`, with a scale
/// for each column: w = scale · q. Columns of the last panel that there are not are zero.
final class Int8Panels: @unchecked Sendable {  // Unchecked: immutable after `init`.
  static let width = BFloat16Panels.width

  let columns: Int
  let inner: Int
  private let quads: Int
  private let memory: Storage
  /// `[panels · 64]` each.
  private let scales: UnsafeMutablePointer<Float>
  private let corrections: UnsafeMutablePointer<Int32>

  /// - Parameter writeColumn: Writes a column's bytes, and zeros that fill the last quad, and returns
  ///   its scale.
  private init(
    columns: Int, inner: Int, _ writeColumn: (Int, UnsafeMutablePointer<Int8>) -> Float
  ) {
    (self.columns, self.inner) = (columns, inner)
    let quads = (inner + 3) / 4
    let panels = (columns + Int8Panels.width - 1) / Int8Panels.width
    let padded = panels * Int8Panels.width
    self.quads = quads
    memory = Storage(count: padded * (quads + 2))
    scales = memory.pointer + padded * quads
    corrections = UnsafeMutableRawPointer(scales + padded)
      .bindMemory(to: Int32.self, capacity: padded)
    Parallel.forEach(panels) { panel in
      let line = Storage(count: quads)
      let bytes = UnsafeMutableRawPointer(line.pointer)
        .bindMemory(to: Int8.self, capacity: 4 * quads)
      for column in panel * Int8Panels.width..<(panel + 1) * Int8Panels.width {
        bytes.update(repeating: 0, count: 4 * quads)
        scales[column] = column < columns ? writeColumn(column, bytes) : 0
        scatter(bytes, to: column)
      }
      withExtendedLifetime(line) {}
    }
  }

  /// Rounds a weight; see `roundToInt8`.
  convenience init(rounding w: MatrixView) {
    self.init(columns: w.rows, inner: w.columns) { column, bytes in
      bytes.withMemoryRebound(to: UInt8.self, capacity: (w.columns + 3) / 4 * 4) {
        roundToInt8(w.pointer + column * w.stride, count: w.columns, zero: 0, into: $0)
      }
    }
  }

  /// Some of the columns, copied.
  convenience init(_ whole: Int8Panels, columns: Range<Int>) {
    self.init(columns: columns.count, inner: whole.inner) { column, bytes in
      whole.gather(columns.lowerBound + column, into: bytes)
    }
  }

  private func quad(_ index: Int, of column: Int) -> UnsafeMutableRawPointer {
    let panel = column / Int8Panels.width
    return UnsafeMutableRawPointer(
      memory.pointer + ((panel * quads + index) * Int8Panels.width + column % Int8Panels.width))
  }

  private func scatter(_ bytes: UnsafeMutablePointer<Int8>, to column: Int) {
    var sum: Int32 = 0
    for index in 0..<quads {
      let four = UnsafeRawPointer(bytes + 4 * index).load(as: SIMD4<Int8>.self)
      quad(index, of: column).storeBytes(of: four, as: SIMD4<Int8>.self)
      for lane in 0..<4 { sum &+= Int32(four[lane]) }
    }
    corrections[column] = Int8Rows.zero &* sum
  }

  /// Reads a column's bytes.
  /// - Returns: Its scale.
  func gather(_ column: Int, into bytes: UnsafeMutablePointer<Int8>) -> Float {
    for index in 0..<quads {
      let four = UnsafeRawPointer(quad(index, of: column)).load(as: SIMD4<Int8>.self)
      UnsafeMutableRawPointer(bytes + 4 * index).storeBytes(of: four, as: SIMD4<Int8>.self)
    }
    return scales[column]
  }

  /// Writes a column's numbers as float32.
  func expand(_ column: Int, into target: UnsafeMutablePointer<Float>) {
    for index in 0..<quads {
      let four = UnsafeRawPointer(quad(index, of: column)).load(as: SIMD4<Int8>.self)
      for place in 4 * index..<min(inner, 4 * index + 4) {
        target[place] = scales[column] * Float(four[place % 4])
      }
    }
  }

  /// A panel and what its sums are made numbers with.
  func panel(_ index: Int) -> Panel {
    let first = index * Int8Panels.width
    return Panel(
      groups: UnsafeRawPointer(memory.pointer + first * quads),
      scales: UnsafePointer(scales + first), corrections: UnsafePointer(corrections + first))
  }

  struct Panel {
    let groups: UnsafeRawPointer
    /// `[64]`.
    let scales: UnsafePointer<Float>
    /// The sum of each column's bytes times what a zero of the left factor is stored as, `[64]`.
    let corrections: UnsafePointer<Int32>
  }
}
