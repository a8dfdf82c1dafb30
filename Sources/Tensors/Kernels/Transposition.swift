extension Tensor {
  /// The transpose of a matrix `[rows, columns]`.
  public func transposed() -> Tensor {
    precondition(shape.count == 2, "only a matrix can be transposed, not shape \(shape)")
    return readMatrix { x in
      Tensor(shape: [x.columns, x.rows]) { transpose(x, into: $0) }
    }
  }
}

/// Writes the transpose of a matrix, over all threads.
/// - Parameter y: `[columns, rows]`.
func transpose(_ x: MatrixView, into y: UnsafeMutablePointer<Float>) {
  // Several vectors of a row lie together, and are read together.
  Parallel.forEachRun(of: x.columns, grain: 64) { run in
    withUnsafeTemporaryAllocation(of: Vector.self, capacity: 32) { block in
      guard let block = block.baseAddress else { return }
      for row in stride(from: 0, to: x.rows, by: 16) {
        for column in stride(from: run.lowerBound, to: run.upperBound, by: 16) {
          let part = x.part(
            rows: row..<min(x.rows, row + 16), columns: column..<min(run.upperBound, column + 16))
          transpose(part, into: y + (column * x.rows + row), yStride: x.rows, block)
        }
      }
    }
  }
}

/// The same of up to sixteen rows and columns.
/// - Parameter block: Room for 32 vectors.
private func transpose(
  _ x: MatrixView, into y: UnsafeMutablePointer<Float>, yStride: Int,
  _ block: UnsafeMutablePointer<Vector>
) {
  if x.rows < 16 || x.columns < 16 {
    for row in 0..<x.rows {
      for column in 0..<x.columns {
        y[column &* yStride &+ row] = x.pointer[row &* x.stride &+ column]
      }
    }
    return
  }
  for row in 0..<16 { block[row] = Vector(x.pointer + row &* x.stride) }
  let result = transposed(block, block + 16)
  for column in 0..<16 { result[column].store(y + column &* yStride) }
}

/// Transposes sixteen vectors: the perfect shuffle of their halves, four times.
/// - Returns: Which of the two buffers holds the result.
@inline(__always)
func transposed(
  _ first: UnsafeMutablePointer<Vector>, _ second: UnsafeMutablePointer<Vector>
) -> UnsafeMutablePointer<Vector> {
  var (from, to) = (first, second)
  for _ in 0..<4 {
    for index in 0..<8 {
      let (x, y) = (from[index], from[index &+ 8])
      to[2 &* index].evenHalf = x.lowHalf
      to[2 &* index].oddHalf = y.lowHalf
      to[2 &* index &+ 1].evenHalf = x.highHalf
      to[2 &* index &+ 1].oddHalf = y.highHalf
    }
    swap(&from, &to)
  }
  return from
}
