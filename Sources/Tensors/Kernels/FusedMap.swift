/// A function of each number of a product's result, taken part by part while the part is in the cache.
public struct FusedMap {
  private let function: any UnaryFunction.Type
  private let target: ProductResult

  /// - Parameter target: Where the function's values go, in the result's form and precision; the
  ///   result itself if nobody needs it.
  public init(_ function: any UnaryFunction.Type, into target: ProductResult) {
    (self.function, self.target) = (function, target)
  }

  func advanced(by count: Int) -> FusedMap {
    FusedMap(function, into: target.advanced(by: count))
  }

  /// Some rows of the result, on the calling thread.
  func apply(to y: ProductResult, rows: Range<Int>, columns: Int, stride: Int) {
    let start = rows.lowerBound * stride
    switch (y.advanced(by: start), target.advanced(by: start)) {
    case (.float32(let y), .float32(let target)):
      function.map(
        UnsafePointer(y), into: target, rows: rows.count, columns: columns, stride: stride)
    case (.bfloat16(let y), .bfloat16(let target)):
      function.map(
        UnsafePointer(y), into: target, rows: rows.count, columns: columns, stride: stride)
    default: preconditionFailure("a product and its function in two precisions")
    }
  }

  /// All rows of the result, over all threads.
  func apply(to y: ProductResult, rows: Int, columns: Int) {
    Parallel.forEachRun(of: rows, grain: Parallel.rowGrain(width: columns)) { run in
      apply(to: y, rows: run, columns: columns, stride: columns)
    }
  }
}
