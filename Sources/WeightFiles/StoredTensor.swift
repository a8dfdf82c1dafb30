/// A tensor as it lies in a file, or as it was put in order: little-endian, row-major, not necessarily
/// aligned.
public struct StoredTensor: Sendable {
  /// The name under which the file holds it.
  public let name: String
  public let elementType: ElementType
  /// The extents; `[]` for a scalar.
  public let shape: [Int]
  /// The product of `shape`.
  public let elementCount: Int
  /// `elementCount * elementType.byteCount` bytes, valid while `owner` lives.
  public nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  /// The file the tensor is from.
  public let file: MappedFile
  /// Keeps the bytes: the file they lie in, or the memory of a copy that is in row-major order.
  let owner: AnyObject & Sendable

  /// All elements as `Float`, in row-major order.
  ///
  /// F32, F16 and BF16 convert exactly; F64 is rounded to nearest.
  /// - Throws: `WeightFileError.wrongElementType` for other types.
  public func floats() throws -> [Float] {
    try requireElementType(in: ElementType.floatingPoint)
    return try [Float](unsafeUninitializedCapacity: elementCount) { buffer, count in
      try copyFloats(into: UnsafeMutableBufferPointer(rebasing: buffer[..<elementCount]))
      count = elementCount
    }
  }

  /// Writes all elements as `Float` into `destination`, converted as by `floats()`.
  ///
  /// - Precondition: `destination.count == elementCount`.
  /// - Throws: `WeightFileError.wrongElementType` for types that are not floating-point.
  public func copyFloats(into destination: UnsafeMutableBufferPointer<Float>) throws {
    precondition(
      destination.count == elementCount,
      "tensor \(name) has \(elementCount) elements, the destination \(destination.count)")
    try requireElementType(in: ElementType.floatingPoint)
    guard let source = bytes.baseAddress, let target = destination.baseAddress else { return }
    withExtendedLifetime(owner) { convert(source, to: target) }
  }

  private func convert(_ source: UnsafeRawPointer, to target: UnsafeMutablePointer<Float>) {
    switch elementType {
    case .float32:
      UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: bytes.count)
    case .float16:
      for index in 0..<elementCount {
        let bits = source.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)
        target[index] = Float(Float16(bitPattern: bits))
      }
    case .bfloat16:
      for index in 0..<elementCount {
        let bits = source.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self)
        target[index] = Float(bitPattern: UInt32(bits) &<< 16)
      }
    case .float64:
      for index in 0..<elementCount {
        target[index] = Float(
          source.loadUnaligned(fromByteOffset: index &* 8, as: Double.self))
      }
    case .int64, .int32, .int16, .int8, .uint8, .bool:
      preconditionFailure("refused by requireElementType")
    }
  }

  /// All elements as `Int64`, in row-major order; a BOOL is 0 or 1 (any other byte counts as 1).
  ///
  /// - Throws: `WeightFileError.wrongElementType` for floating-point types.
  public func integers() throws -> [Int64] {
    try requireElementType(in: ElementType.integral)
    return withExtendedLifetime(owner) { widened() }
  }

  private func widened() -> [Int64] {
    switch elementType {
    case .int64: return widened(Int64.self)
    case .int32: return widened(Int32.self)
    case .int16: return widened(Int16.self)
    case .int8: return widened(Int8.self)
    case .uint8: return widened(UInt8.self)
    case .bool: return bytes.map { $0 == 0 ? 0 : 1 }
    case .float64, .float32, .float16, .bfloat16:
      preconditionFailure("refused by requireElementType")
    }
  }

  private func widened<Integer: FixedWidthInteger & BitwiseCopyable>(
    _ type: Integer.Type
  ) -> [Int64] {
    (0..<elementCount).map { index in
      Int64(bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Integer>.size, as: type))
    }
  }

  private func requireElementType(in expected: [ElementType]) throws {
    guard expected.contains(elementType) else {
      throw WeightFileError.wrongElementType(
        file: file.path, tensor: name, expected: expected, found: elementType)
    }
  }
}
