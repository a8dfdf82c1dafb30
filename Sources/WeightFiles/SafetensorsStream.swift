import Files
import Foundation

/// Writing a safetensors file whose tensors are too large to be held at once.
extension SafetensorsWriter {
  /// A tensor whose bytes will follow.
  public struct Announcement: Sendable {
    public let name: String
    public let elementType: ElementType
    public let shape: [Int]

    public init(_ name: String, _ elementType: ElementType, shape: [Int]) {
      self.name = name
      self.elementType = elementType
      self.shape = shape
    }

    /// The bytes of all elements.
    public var byteCount: Int { shape.reduce(elementType.byteCount, *) }
  }

  /// The beginning of a file, up to the first tensor: the same bytes for the same arguments.
  /// - Parameters:
  ///   - tensors: In the order in which their bytes follow.
  ///   - file: The file's path, for errors.
  /// - Throws: `WeightFileError.unwritable` where it would be longer than the format allows.
  public static func beginning(
    _ tensors: [Announcement], metadata: [String: String] = [:], file: String
  ) throws -> Data {
    let header = try encodedHeader(tensors, metadata: metadata, file: file)
    return withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header
  }

  /// Creates or replaces the file at `url`; a failure leaves what was there.
  /// - Parameters:
  ///   - tensors: In the order in which their bytes follow.
  ///   - body: Appends the bytes of all tensors, in portions of any size, through its argument.
  /// - Precondition: `body` appends just as many bytes as the tensors have.
  /// - Throws: `WeightFileError.unwritable`, or what `body` throws.
  static func write(
    _ tensors: [Announcement], metadata: [String: String] = [:], to url: URL,
    body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let beginning = try beginning(tensors, metadata: metadata, file: url.path)
    do {
      try AtomicFile.replace(url.path) { output in
        try beginning.withUnsafeBytes { try output.append($0) }
        var written = 0
        try body { bytes in
          try output.append(bytes)
          written += bytes.count
        }
        let expected = tensors.reduce(0) { $0 + $1.byteCount }
        precondition(
          written == expected, "\(written) bytes were appended; the tensors have \(expected)")
      }
    } catch let failure as SystemFailure {
      throw WeightFileError.unwritable(file: url.path, reason: failure.reason)
    }
  }
}
