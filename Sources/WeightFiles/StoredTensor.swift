import Files
import Glibc
import Tensors

/// A tensor as it lies in a file, or as it was put in order: little-endian, row-major, not necessarily
/// aligned.
public struct StoredTensor: Sendable {
  /// The name under which the file holds it.
  public let name: String
  public let form: StoredForm
  /// The extents; `[]` for a scalar. Blocks lie along the last axis, a whole number of them in a row.
  public let shape: [Int]
  /// The product of `shape`.
  public var elementCount: Int { shape.reduce(1, *) }
  /// The bytes of `elementCount` elements, valid while `owner` lives.
  public nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  /// The file the tensor is from.
  public let file: MappedFile
  /// Keeps the bytes: the file they lie in, or the memory of a copy that is in row-major order.
  let owner: AnyObject & Sendable

  /// The type of the elements; nil where they are kept in blocks.
  public var elementType: ElementType? {
    if case .elements(let type) = form { type } else { nil }
  }

  /// All elements as `Float`, in row-major order.
  ///
  /// F32, F16, BF16 and blocks convert exactly; F64 is rounded to nearest.
  /// - Throws: `WeightFileError.wrongElementType` for other types.
  public func floats() throws -> [Float] {
    try requireFloatingPoint()
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
    try requireFloatingPoint()
    guard let source = bytes.baseAddress, let target = destination.baseAddress else { return }
    withExtendedLifetime(owner) { convert(source, to: target) }
  }

  private func convert(_ source: UnsafeRawPointer, to target: UnsafeMutablePointer<Float>) {
    if let format = form.numberFormat {
      let blocks = elementCount / format.blockElements
      Parallel.forEachRun(of: blocks, grain: 65_536 / format.blockElements) { run in
        format.expand(
          source + run.lowerBound * format.blockBytes, count: run.count * format.blockElements,
          into: target + run.lowerBound * format.blockElements)
      }
    } else {
      for index in 0..<elementCount {
        target[index] = Float(
          source.loadUnaligned(fromByteOffset: index &* 8, as: Double.self))
      }
    }
  }

  /// All elements as `Int64`, in row-major order; a BOOL is 0 or 1 (any other byte counts as 1).
  ///
  /// - Throws: `WeightFileError.wrongElementType` for floating-point types.
  public func integers() throws -> [Int64] {
    try withExtendedLifetime(owner) {
      switch elementType {
      case .int64: return widened(Int64.self)
      case .int32: return widened(Int32.self)
      case .int16: return widened(Int16.self)
      case .int8: return widened(Int8.self)
      case .uint8: return widened(UInt8.self)
      case .bool: return bytes.map { $0 == 0 ? 0 : 1 }
      case .float64, .float32, .float16, .bfloat16, nil:
        throw wrongForm(expected: ElementType.integral.map(\.rawValue))
      }
    }
  }

  private func widened<Integer: FixedWidthInteger & BitwiseCopyable>(
    _ type: Integer.Type
  ) -> [Int64] {
    (0..<elementCount).map { index in
      Int64(bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Integer>.size, as: type))
    }
  }

  /// Whether both hold the same elements in the same form and shape, byte for byte.
  public func hasSameBytes(as other: StoredTensor) -> Bool {
    guard form == other.form, shape == other.shape else { return false }
    guard let first = bytes.baseAddress, let second = other.bytes.baseAddress else { return true }
    return withExtendedLifetime((owner, other.owner)) { memcmp(first, second, bytes.count) == 0 }
  }

  private func requireFloatingPoint() throws {
    guard form.isFloatingPoint else {
      let blocks = StoredForm.blockFormats.map(\.rawValue)
      throw wrongForm(expected: ElementType.floatingPoint.map(\.rawValue) + blocks)
    }
  }

  func wrongForm(expected: [String]) -> WeightFileError {
    .wrongElementType(file: file.path, tensor: name, expected: expected, found: form.name)
  }
}
