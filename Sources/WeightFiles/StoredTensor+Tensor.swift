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

  /// The stored matrix `[outputs, inputs]` as a weight that keeps its form and its place: nothing is
  /// expanded before it is used.
  ///
  /// - Throws: `WeightFileError.notAMatrix`, or `.wrongElementType` for float64 and whole numbers.
  public func matrixWeight() throws -> StoredWeight {
    guard let format = form.numberFormat else {
      throw wrongForm(expected: NumberFormat.allCases.map(\.rawValue))
    }
    guard shape.count == 2, elementCount > 0 else {
      throw WeightFileError.notAMatrix(file: file.path, tensor: name, found: shape)
    }
    return StoredWeight(
      bytes: bytes, format: format, outputs: shape[0], inputs: shape[1], owner: owner)
  }
}
