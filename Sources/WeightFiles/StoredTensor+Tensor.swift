import Tensors

extension StoredTensor {
  /// The stored numbers as a tensor. Aligned float32 is used where it lies, and nothing is copied; other types are converted.
  public func tensor() throws -> Tensor {
    let isAligned = bytes.baseAddress.map { Int(bitPattern: $0) % 4 == 0 } ?? false
    if elementType == .float32, isAligned, let base = bytes.baseAddress {
      return Tensor(
        borrowing: base.assumingMemoryBound(to: Float.self), shape: shape, owner: owner)
    }
    return try Tensor(shape: shape) { target in
      try copyFloats(into: UnsafeMutableBufferPointer(start: target, count: elementCount))
    }
  }
}
