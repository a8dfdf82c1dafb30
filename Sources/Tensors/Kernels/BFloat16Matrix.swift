/// A matrix in bfloat16, row by row.
public final class BFloat16Matrix: @unchecked Sendable {  // Unchecked: immutable after `init`.
  public let rows: Int
  public let columns: Int
  private let start: UnsafePointer<BFloat16>
  private let owner: AnyObject

  /// A matrix whose numbers the closure writes; it must write every one.
  public init(
    rows: Int, columns: Int, initializingWith write: (UnsafeMutablePointer<BFloat16>) -> Void
  ) {
    (self.rows, self.columns) = (rows, columns)
    let storage = Storage(count: (rows * columns + 1) / 2)
    let target = UnsafeMutableRawPointer(storage.pointer)
      .bindMemory(to: BFloat16.self, capacity: rows * columns)
    write(target)
    start = UnsafePointer(target)
    owner = storage
  }

  /// Rounds to the nearest, ties to even.
  public convenience init(rounding x: MatrixView) {
    self.init(rows: x.rows, columns: x.columns) { target in
      Parallel.forEachRun(of: x.rows, grain: Parallel.rowGrain(width: x.columns)) { run in
        for row in run {
          roundVectors(x.pointer + row * x.stride, into: target + row * x.columns, count: x.columns)
        }
      }
    }
  }

  /// Uses numbers where they lie, in a mapped file say.
  /// - Parameter owner: Keeps the bytes, and keeps them unchanged.
  /// - Precondition: `bytes` are just so many numbers at an even address.
  init(bytes: UnsafeRawBufferPointer, rows: Int, columns: Int, owner: AnyObject) {
    guard let base = bytes.baseAddress, bytes.count == 2 * rows * columns,
      Int(bitPattern: base) % 2 == 0
    else {
      preconditionFailure("\(bytes.count) bytes are no bfloat16 matrix [\(rows), \(columns)]")
    }
    (self.rows, self.columns, self.owner) = (rows, columns, owner)
    start = base.assumingMemoryBound(to: BFloat16.self)
  }

  private init(_ whole: BFloat16Matrix, rows: Range<Int>) {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= whole.rows,
      "rows \(rows) of a matrix [\(whole.rows), \(whole.columns)]")
    (self.rows, columns, owner) = (rows.count, whole.columns, whole.owner)
    start = whole.start + rows.lowerBound * whole.columns
  }

  /// Some of the rows, in the same memory.
  public func rows(_ range: Range<Int>) -> BFloat16Matrix { BFloat16Matrix(self, rows: range) }

  public func read<Result>(_ body: (ElementView<BFloat16>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) {
      try body(ElementView(start, rows: rows, columns: columns))
    }
  }

  /// The same numbers as float32.
  /// - Parameter shape: Of as many values.
  public func expanded(_ shape: [Int]) -> Tensor {
    precondition(
      shape.reduce(1, *) == rows * columns,
      "a matrix [\(rows), \(columns)] does not fill the shape \(shape)")
    return Tensor(shape: shape) { target in
      read { x in
        Parallel.forEachRun(of: rows * columns, grain: 16_384) { run in
          expandVectors(
            x.pointer + run.lowerBound, into: target + run.lowerBound, count: run.count)
        }
      }
    }
  }
}
