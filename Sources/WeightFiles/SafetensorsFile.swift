import Files
import Foundation

/// One memory-mapped safetensors file.
///
/// Layout: 8 bytes N (unsigned, little-endian), N bytes of JSON, then the tensors' bytes without gaps. The
/// rules are those of the format's reference implementation
/// (https://github.com/huggingface/safetensors), with a bound on the rank besides.
public struct SafetensorsFile: WeightFile {
  static let maximumHeaderLength = 100_000_000
  static let maximumRank = 8
  /// A metadata dictionary or a shape inside an entry is 3 deep; one more to be lenient.
  private static let maximumDepth = 4

  public let file: MappedFile
  /// The file's own notes, such as `format` or a configuration in JSON.
  public let metadata: [String: String]
  public let tensors: [String: TensorEntry]

  public init(_ file: MappedFile) throws {
    self.file = file
    (metadata, tensors) = try file.decoded { bytes in
      let text = try Self.text(of: bytes)
      let document = try Self.document(in: text)
      let data = 8 + text.count..<bytes.count
      var tensors: [String: TensorEntry] = [:]
      tensors.reserveCapacity(document.entries.count)
      for (name, entry) in document.entries {
        tensors[name] = try Self.checked(entry, name: name, data: data)
      }
      try Self.requireNoGaps(document.entries, dataCount: data.count)
      return (document.metadata, tensors)
    }
  }

  private static func text(of bytes: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer {
    guard bytes.count >= 8 else { throw damaged("at least 8 bytes", "\(bytes.count)") }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    let limit = min(maximumHeaderLength, bytes.count - 8)
    guard length >= 2, length <= UInt64(limit) else {
      let words = FileKind.words(bytes)
      throw damaged("a header length of 2 to \(limit) bytes", "\(length): the file \(words)")
    }
    let text = UnsafeRawBufferPointer(rebasing: bytes[8..<8 + Int(length)])
    guard text.first == UInt8(ascii: "{") else {
      throw damaged("a header that begins with {", "byte \(text[0])")
    }
    return text
  }

  private static func document(in text: UnsafeRawBufferPointer) throws -> HeaderDocument {
    guard !text.contains(0) else { throw damaged("JSON text", "a zero byte") }
    do {
      return try HeaderDocument(
        JSONScanner.document(
          text.bindMemory(to: UInt8.self),
          limits: JSONScanner.Limits(depth: maximumDepth, length: maximumHeaderLength)))
    } catch let failure as JSONScanner.Failure {
      throw HeaderDocument.problem("\(failure.problem) (byte \(8 + failure.offset))")
    }
  }

  /// - Parameter data: Where the tensors' bytes lie in the file.
  private static func checked(
    _ entry: HeaderDocument.Entry, name: String, data: Range<Int>
  ) throws -> TensorEntry {
    let shape = entry.shape
    guard shape.count <= maximumRank else {
      throw damaged(tensor: name, "at most \(maximumRank) dimensions", "\(shape.count)")
    }
    let type = ElementType(rawValue: entry.dtype)
    guard let byteCount = (shape + [type?.byteCount ?? 1]).countableProduct else {
      throw damaged(tensor: name, "a shape of countable size", "\(shape)")
    }
    let offsets = entry.dataOffsets
    guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= data.count
    else {
      throw damaged(
        tensor: name, "two ascending offsets within 0...\(data.count)", "\(offsets.prefix(4))")
    }
    guard let type else { return .unread(type: entry.dtype, shape: shape) }
    guard offsets[1] - offsets[0] == byteCount else {
      throw damaged(
        tensor: name, "\(byteCount) bytes for \(entry.dtype) \(shape)", "\(offsets[1] - offsets[0])"
      )
    }
    let start = data.lowerBound + offsets[0]
    return .stored(.elements(type), shape: shape, start..<start + byteCount)
  }

  /// Tensors must neither overlap nor leave bytes between or after them: the format forbids both,
  /// and a file cut short or with another one appended shows here.
  private static func requireNoGaps(
    _ entries: [String: HeaderDocument.Entry], dataCount: Int
  ) throws {
    let ordered = entries.sorted {
      $0.value.dataOffsets.lexicographicallyPrecedes($1.value.dataOffsets)
    }
    var position = 0
    for (name, entry) in ordered {
      guard entry.dataOffsets[0] == position else {
        throw damaged(
          tensor: name, "its bytes to begin at \(position)", "\(entry.dataOffsets[0])")
      }
      position = entry.dataOffsets[1]
    }
    guard position == dataCount else {
      throw damaged("\(position) bytes of tensors", "\(dataCount)")
    }
  }
}
