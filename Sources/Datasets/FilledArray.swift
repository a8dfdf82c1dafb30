extension Array {
  /// An array of `count` elements that `fill` writes, without clearing them first.
  ///
  /// - Parameter fill: Gets room for exactly `count` elements of a trivial type and writes all.
  init(
    count: Int, filledBy fill: (UnsafeMutableBufferPointer<Element>) throws -> Void
  ) rethrows {
    try self.init(unsafeUninitializedCapacity: count) { buffer, initialized in
      try fill(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
      initialized = count
    }
  }
}
