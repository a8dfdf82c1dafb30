/// Reads a GGUF header front to back, and never beyond its end.
struct GGUFCursor {
  /// Vocabularies and merges of the largest tokenizers take some 20 MB.
  static let maximumHeaderLength = 100_000_000

  private let bytes: UnsafeRawBufferPointer
  private let file: String
  private(set) var position: Int

  /// - Parameters:
  ///   - bytes: The whole file.
  ///   - position: Where to begin, within the file.
  init(_ bytes: UnsafeRawBufferPointer, from position: Int, file: String) {
    self.bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.maximumHeaderLength))
    self.position = position
    self.file = file
  }

  /// How many bytes are left.
  var remaining: Int { bytes.count - position }

  func damaged(_ expected: String, _ found: String) -> WeightFileError {
    .damagedHeader(file: file, expected: expected, found: found)
  }

  /// Passes over some bytes and gives their place.
  mutating func take(_ count: Int, _ what: String) throws -> Range<Int> {
    guard count <= remaining else {
      throw damaged("\(what) of at most \(remaining) bytes at \(position)", "\(count)")
    }
    defer { position += count }
    return position..<position + count
  }

  mutating func number<Number: BitwiseCopyable>(_ type: Number.Type, _ what: String) throws
    -> Number
  {
    let range = try take(MemoryLayout<Number>.size, what)
    return bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: type)
  }

  /// A count of things of which each takes at least `size` bytes.
  mutating func count(eachOf size: Int, _ what: String) throws -> Int {
    let count = try number(UInt64.self, "the number of \(what)")
    guard count <= UInt64(remaining / size) else {
      throw damaged("at most \(remaining / size) \(what)", "\(count)")
    }
    return Int(count)
  }

  mutating func text(_ what: String, atMost limit: Int = .max) throws -> String {
    let length = try count(eachOf: 1, "bytes of \(what)")
    guard length <= limit else { throw damaged("\(what) of at most \(limit) bytes", "\(length)") }
    let range = try take(length, what)
    guard let text = String(validating: bytes[range], as: UTF8.self) else {
      throw damaged("\(what) in UTF-8", "other bytes")
    }
    return text
  }
}
