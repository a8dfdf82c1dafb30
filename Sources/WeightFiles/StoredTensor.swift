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
  /// - Throws: `WeightFileError.wrongKind` for other types.
  public func floats() throws -> [Float] {
    try [Float](unsafeUninitializedCapacity: elementCount) { buffer, count in
      try copyFloats(to: buffer.baseAddress)
      count = elementCount
    }
  }

  /// The stored numbers as a tensor. Aligned float32 is used where it lies, and nothing is copied; other types are converted.
  public func tensor() throws -> Tensor {
    let isAligned = bytes.baseAddress.map { Int(bitPattern: $0) % 4 == 0 } ?? false
    if elementType == .float32, isAligned, let base = bytes.baseAddress {
      return Tensor(
        borrowing: base.assumingMemoryBound(to: Float.self), shape: shape, owner: owner)
    }
    return try Tensor(shape: shape) { try copyFloats(to: $0) }
  }

  /// The stored matrix `[outputs, inputs]` as a weight that keeps its form and its place: nothing is
  /// expanded before it is used.
  ///
  /// - Throws: `WeightFileError.wrongKind`, also for float64 and whole numbers.
  public func matrixWeight() throws -> StoredWeight {
    guard let format = form.numberFormat else {
      throw wrongForm(expected: NumberFormat.allCases.map(\.rawValue))
    }
    guard shape.count == 2, elementCount > 0 else {
      throw WeightFileError.wrongKind(
        file: file.path, tensor: name, expected: "a matrix with values", found: "\(shape)")
    }
    return StoredWeight(
      bytes: bytes, format: format, outputs: shape[0], inputs: shape[1], owner: owner)
  }

  /// Writes all elements, of which there are as many as `target` has room for.
  private func copyFloats(to target: UnsafeMutablePointer<Float>?) throws {
    guard form.isFloatingPoint else {
      let blocks = StoredForm.blockFormats.map(\.rawValue)
      throw wrongForm(expected: ElementType.floatingPoint.map(\.rawValue) + blocks)
    }
    guard let source = bytes.baseAddress, let target else { return }
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
  /// - Throws: `WeightFileError.wrongKind` for floating-point types.
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

  private func wrongForm(expected: [String]) -> WeightFileError {
    .wrongKind(
      file: file.path, tensor: name,
      expected: "an element type of \(expected.joined(separator: ", "))", found: form.name)
  }
}
