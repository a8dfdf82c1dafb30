extension Tensor {
  /// The rows at the given places, in their order; a place may come more than once.
  /// - Returns: `[indices.count, width]`.
  public func gatheredRows(_ indices: [Int32]) -> Tensor {
    let (rows, width) = (rowCount, self.width)
    precondition(
      indices.allSatisfy { $0 >= 0 && $0 < rows }, "a row index lies outside 0..<\(rows)")
    return read { x in
      Tensor(shape: [indices.count, width]) { y in
        Parallel.forEachRun(of: indices.count, grain: Parallel.rowGrain(width: width)) { run in
          for row in run {
            (y + row * width).update(from: x + Int(indices[row]) * width, count: width)
          }
        }
      }
    }
  }
}
