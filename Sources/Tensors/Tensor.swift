/// An array of float32 values with a shape, stored row by row without gaps.
///
/// A tensor is a value: once made it does not change. Rows of a tensor (`rows(_:)`) and other shapes
/// of it (`reshaped(_:)`) share its storage.
public struct Tensor: @unchecked Sendable {
  public let shape: [Int]
  public let count: Int
  public private(set) var storage: Storage
  let offset: Int

  init(shape: [Int], storage: Storage, offset: Int) {
    self.shape = shape
    self.storage = storage
    self.offset = offset
    count = shape.reduce(1, *)
  }

  /// A tensor whose values the closure writes; it must write every one.
  @inline(__always)
  public init(shape: [Int], initializingWith write: (UnsafeMutablePointer<Float>) throws -> Void)
    rethrows
  {
    precondition(shape.allSatisfy { $0 >= 0 }, "a tensor cannot have the shape \(shape)")
    self.init(shape: shape, storage: Storage(count: shape.reduce(1, *)), offset: 0)
    try write(storage.pointer)
  }

  /// - Precondition: There are as many values as the shape has places.
  public init(_ values: [Float], shape: [Int]) {
    precondition(
      values.count == shape.reduce(1, *), "\(values.count) values do not fill the shape \(shape)")
    self.init(shape: shape) { target in
      values.withUnsafeBufferPointer { source in
        if let base = source.baseAddress { target.update(from: base, count: values.count) }
      }
    }
  }

  /// A tensor of one value, of shape [].
  public init(_ value: Float) {
    self.init(shape: []) { $0[0] = value }
  }

  public init(repeating value: Float, shape: [Int]) {
    self.init(shape: shape) { [count = shape.reduce(1, *)] in
      $0.update(repeating: value, count: count)
    }
  }

  public static func zeros(_ shape: [Int]) -> Tensor {
    Tensor(repeating: 0, shape: shape)
  }

  /// A tensor over memory that belongs to `owner`, such as a mapped file; nothing is copied.
  public init(borrowing pointer: UnsafePointer<Float>, shape: [Int], owner: AnyObject) {
    self.init(shape: shape, storage: Storage(borrowing: pointer, owner: owner), offset: 0)
  }

  // MARK: Shape

  /// The number of places along the last axis; 1 for a tensor of shape [].
  public var width: Int { shape.last ?? 1 }

  /// The number of rows when all axes but the last are taken as one.
  public var rowCount: Int { shape.dropLast().reduce(1, *) }

  /// The same values under another shape.
  /// - Precondition: Both shapes have as many places.
  public func reshaped(_ newShape: [Int]) -> Tensor {
    precondition(
      newShape.reduce(1, *) == count, "a tensor of shape \(shape) cannot take the shape \(newShape)"
    )
    return Tensor(shape: newShape, storage: storage, offset: offset)
  }

  /// The given rows as `[rows, width]`, all axes but the last taken as one; nothing is copied.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rowCount,
      "rows \(range) lie outside a tensor of shape \(shape)")
    return Tensor(
      shape: [range.count, width], storage: storage, offset: offset + range.lowerBound * width)
  }

  // MARK: Values

  /// Calls the closure with the values; the pointer is valid only within it.
  @inline(__always)
  public func read<Result>(_ body: (UnsafePointer<Float>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) { try body(UnsafePointer(storage.pointer + offset)) }
  }

  /// Changes the values in place; storage that others share or that is read-only is copied first.
  @inline(__always)
  public mutating func modify(_ body: (UnsafeMutablePointer<Float>) throws -> Void) rethrows {
    if !storage.isWritable || !isKnownUniquelyReferenced(&storage) {
      self = copied()
    }
    try withExtendedLifetime(storage) { try body(storage.pointer + offset) }
  }

  /// A tensor of its own storage with the same values.
  public func copied() -> Tensor {
    read { source in
      Tensor(shape: shape) { $0.update(from: source, count: count) }
    }
  }

  /// The values, row by row.
  public var values: [Float] {
    read { Array(UnsafeBufferPointer(start: $0, count: count)) }
  }

  /// The value of a tensor that has only one.
  public var scalar: Float {
    precondition(count == 1, "a tensor of shape \(shape) is not a single value")
    return read { $0[0] }
  }
}

extension Tensor? {
  /// Calls the closure with the values if there are any.
  @inline(__always)
  func read<Result>(_ body: (UnsafePointer<Float>?) throws -> Result) rethrows -> Result {
    guard let self else { return try body(nil) }
    return try self.read { try body($0) }
  }
}

/// Calls the closure with the values of two tensors.
@inline(__always)
public func read<Result>(
  _ a: Tensor, _ b: Tensor, _ body: (UnsafePointer<Float>, UnsafePointer<Float>) throws -> Result
) rethrows -> Result {
  try a.read { pa in try b.read { pb in try body(pa, pb) } }
}

/// Calls the closure with the values of three tensors.
@inline(__always)
public func read<Result>(
  _ a: Tensor, _ b: Tensor, _ c: Tensor,
  _ body: (UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>) throws -> Result
) rethrows -> Result {
  try a.read { pa in try b.read { pb in try c.read { pc in try body(pa, pb, pc) } } }
}

extension Tensor {
  /// The values for writing by a kernel that made this tensor and has not handed it out yet.
  public var writable: UnsafeMutablePointer<Float> { storage.pointer + offset }
}
