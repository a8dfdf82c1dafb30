import Files

/// The JSON at the front of a safetensors file, checked against the file's size.
///
/// Layout of a file: 8 bytes N (unsigned, little-endian), N bytes of JSON, then the tensors' bytes
/// without gaps. The rules are those of the format's reference implementation
/// (https://github.com/huggingface/safetensors), with a bound on the rank besides.
struct SafetensorsHeader {
  /// One tensor: its bytes are `byteRange` of the whole file.
  struct Entry {
    /// The `dtype`.
    let typeName: String
    /// Nil for one that is not read, which need not keep others from being read.
    var elementType: ElementType? { ElementType(rawValue: typeName) }
    let shape: [Int]
    let elementCount: Int
    let byteRange: Range<Int>
  }

  static let maximumLength = 100_000_000
  static let maximumRank = 8
  /// A metadata dictionary or a shape inside an entry is 3 deep; one more to be lenient.
  private static let maximumDepth = 4

  let metadata: [String: String]
  let entries: [String: Entry]

  /// Reads the header of the file whose bytes are `bytes`; `file` is its path, for errors.
  init(_ bytes: UnsafeRawBufferPointer, file: String) throws {
    let text = try Self.text(of: bytes, file: file)
    let document = try Self.document(in: text, file: file)
    let dataStart = 8 + text.count
    var entries: [String: Entry] = [:]
    entries.reserveCapacity(document.entries.count)
    for (name, entry) in document.entries {
      entries[name] = try Self.checked(
        entry, name: name, dataStart: dataStart, dataCount: bytes.count - dataStart, file: file)
    }
    try Self.requireNoGaps(entries, from: dataStart, to: bytes.count, file: file)
    self.entries = entries
    metadata = document.metadata
  }

  private static func text(
    of bytes: UnsafeRawBufferPointer, file: String
  ) throws -> UnsafeRawBufferPointer {
    func damaged(_ expected: String, _ found: String) -> WeightFileError {
      .damagedHeader(file: file, expected: expected, found: found)
    }
    guard bytes.count >= 8 else {
      throw damaged("at least 8 bytes", "\(bytes.count)")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    let limit = min(maximumLength, bytes.count - 8)
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

  private static func document(
    in text: UnsafeRawBufferPointer, file: String
  ) throws -> HeaderDocument {
    func damaged(_ expected: String, _ found: String) -> WeightFileError {
      .damagedHeader(file: file, expected: expected, found: found)
    }
    guard !text.contains(0) else { throw damaged("JSON text", "a zero byte") }
    do {
      return try HeaderDocument(
        JSONScanner.document(
          text.bindMemory(to: UInt8.self),
          limits: JSONScanner.Limits(depth: maximumDepth, length: maximumLength)))
    } catch let failure as JSONScanner.Failure {
      throw damaged("a JSON object of tensors", "\(failure.problem) (byte \(8 + failure.offset))")
    } catch let problem as HeaderDocument.Problem {
      throw damaged("a JSON object of tensors", problem.found)
    }
  }

  private static func checked(
    _ entry: HeaderDocument.Entry, name: String, dataStart: Int, dataCount: Int, file: String
  ) throws -> Entry {
    func damaged(_ expected: String, _ found: String) -> WeightFileError {
      .damagedTensor(file: file, tensor: name, expected: expected, found: found)
    }
    guard entry.shape.count <= maximumRank else {
      throw damaged("at most \(maximumRank) dimensions", "\(entry.shape.count)")
    }
    var elementCount = 1
    for extent in entry.shape {
      let (product, overflow) = elementCount.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else {
        throw damaged("a shape of countable size", "\(entry.shape)")
      }
      elementCount = product
    }
    let offsets = entry.dataOffsets
    guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= dataCount
    else {
      throw damaged("two ascending offsets within 0...\(dataCount)", "\(offsets.prefix(4))")
    }
    if let type = ElementType(rawValue: entry.dtype) {
      let (byteCount, overflow) = elementCount.multipliedReportingOverflow(by: type.byteCount)
      guard !overflow else { throw damaged("a shape of countable size", "\(entry.shape)") }
      guard offsets[1] - offsets[0] == byteCount else {
        throw damaged(
          "\(byteCount) bytes for \(entry.dtype) \(entry.shape)", "\(offsets[1] - offsets[0])")
      }
    }
    return Entry(
      typeName: entry.dtype, shape: entry.shape, elementCount: elementCount,
      byteRange: dataStart + offsets[0]..<dataStart + offsets[1])
  }

  /// Tensors must neither overlap nor leave bytes between or after them: the format forbids both,
  /// and a file cut short or with another one appended shows here.
  private static func requireNoGaps(
    _ entries: [String: Entry], from dataStart: Int, to fileEnd: Int, file: String
  ) throws {
    let ordered = entries.sorted { left, right in
      let (first, second) = (left.value.byteRange, right.value.byteRange)
      return (first.lowerBound, first.upperBound) < (second.lowerBound, second.upperBound)
    }
    var position = dataStart
    for (name, entry) in ordered {
      guard entry.byteRange.lowerBound == position else {
        throw WeightFileError.damagedTensor(
          file: file, tensor: name, expected: "its bytes to begin at \(position - dataStart)",
          found: "\(entry.byteRange.lowerBound - dataStart)")
      }
      position = entry.byteRange.upperBound
    }
    guard position == fileEnd else {
      throw WeightFileError.damagedHeader(
        file: file, expected: "\(position - dataStart) bytes of tensors",
        found: "\(fileEnd - dataStart)")
    }
  }
}
