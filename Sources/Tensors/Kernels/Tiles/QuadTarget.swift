import CPlatform

/// C = (sums − corrections) · the row's scale · the column's scale + bias.
struct QuadTarget: TileStore {
  typealias Sum = Int32

  let result: ProductResult
  let stride: Int
  let columns: Int
  /// The scales of the left factor's rows from the first of C on.
  let rowScales: UnsafePointer<Float>
  let panel: Int8Panels.Panel
  let bias: UnsafePointer<Float>?

  @inline(__always)
  func put<Line: TileAccumulators>(_ line: Line, row: Int) where Line.Sum == Int32 {
    switch result {
    case .float32(let c): put(line, rowScales[row], c + row &* stride)
    case .bfloat16(let c): put(line, rowScales[row], c + row &* stride)
    }
  }

  @inline(__always)
  private func put<Line: TileAccumulators, Element: LaneElement>(
    _ line: Line, _ scale: Float, _ c: UnsafeMutablePointer<Element>
  ) where Line.Sum == Int32 {
    if columns >= 16 &* Line.vectorCount {
      line.forEachVector(from: 0) { column, x in
        var y = numbers(x, column, scale)
        if let bias { y += Vector(bias + column) }
        Element.store(y, c + column)
      }
    } else {
      line.forEachVector(from: 0) { column, x in
        put(numbers(x, column, scale), column, min(16, columns &- column), c)
      }
    }
  }

  @inline(__always)
  private func numbers(_ sums: SIMD16<Int32>, _ column: Int, _ scale: Float) -> Vector {
    let corrections = UnsafeRawPointer(panel.corrections + column)
      .loadUnaligned(as: SIMD16<Int32>.self)
    return cplatform_floats(sums &- corrections) * (Vector(panel.scales + column) * scale)
  }

  @inline(never)
  private func put<Element: LaneElement>(
    _ x: Vector, _ column: Int, _ lanes: Int, _ c: UnsafeMutablePointer<Element>
  ) {
    var y = x
    if let bias { y += Vector(bias + column, first: lanes) }
    Element.store(y, c + column, first: lanes)
  }
}
