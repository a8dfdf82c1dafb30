import CPlatform

/// Where a tile goes: some columns of C from its first row on, and what becomes of its sums there.
protocol TileStore {
  associatedtype Sum: TileSum
  var result: ProductResult { get }
  /// Numbers of C from row to row.
  var stride: Int { get }
  var columns: Int { get }
  /// What is added to the numbers.
  var sum: Epilogue { get }
  /// What a row's numbers are multiplied with.
  func scale(ofRow row: Int) -> Float
  /// The numbers that sums from a column on stand for.
  func numbers(_ sums: SIMD16<Sum>, _ column: Int, _ scale: Float) -> Vector
}

extension TileStore {
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
  func put<Line: TileAccumulators>(_ line: Line, row: Int) where Line.Sum == Sum {
    switch result {
    case .float32(let c): put(line, scale(ofRow: row), c + row &* stride)
    case .bfloat16(let c): put(line, scale(ofRow: row), c + row &* stride)
    }
  }

  @inline(__always)
  private func put<Line: TileAccumulators, Element: LaneElement>(
    _ line: Line, _ scale: Float, _ c: UnsafeMutablePointer<Element>
  ) where Line.Sum == Sum {
    if columns >= 16 &* Line.vectorCount {
      line.forEachVector(from: 0) { column, x in
        var y = numbers(x, column, scale)
        if let bias = sum.bias { y += Vector(bias + column) }
        if sum.beta != 0 { y += Element.load(UnsafePointer(c + column)) * sum.beta }
        Element.store(y, c + column)
      }
    } else {
      line.forEachVector(from: 0) { column, x in
        put(numbers(x, column, scale), column, min(16, columns &- column), c)
      }
    }
  }

  @inline(never)
  private func put<Element: LaneElement>(
    _ x: Vector, _ column: Int, _ lanes: Int, _ c: UnsafeMutablePointer<Element>
  ) {
    var y = x
    if let bias = sum.bias { y += Vector(bias + column, first: lanes) }
    if sum.beta != 0 { y += Element.load(UnsafePointer(c + column), first: lanes) * sum.beta }
    Element.store(y, c + column, first: lanes)
  }
}

/// C = scale · the row's scale · sums + beta · C, or with a bias.
struct PairTarget: TileStore {
  typealias Sum = Float

  let result: ProductResult
  let stride: Int
  let columns: Int
  let sum: Epilogue
  /// From the first row of C on.
  var rowScales: UnsafePointer<Float>?

  @inline(__always)
  func scale(ofRow row: Int) -> Float { rowScales.map { $0[row] * sum.scale } ?? sum.scale }

  @inline(__always)
  func numbers(_ sums: Vector, _ column: Int, _ scale: Float) -> Vector { sums * scale }
}

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
  var sum: Epilogue { Epilogue(bias: bias) }

  @inline(__always)
  func scale(ofRow row: Int) -> Float { rowScales[row] }

  @inline(__always)
  func numbers(_ sums: SIMD16<Int32>, _ column: Int, _ scale: Float) -> Vector {
    let corrections = UnsafeRawPointer(panel.corrections + column)
      .loadUnaligned(as: SIMD16<Int32>.self)
    return cplatform_floats(sums &- corrections) * (Vector(panel.scales + column) * scale)
  }
}
