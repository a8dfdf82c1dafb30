import Files

/// Reads a GGUF header front to back, and never beyond its end. What it throws is a `FormatProblem`.
struct GGUFCursor {
  /// Vocabularies and merges of the largest tokenizers take some 20 MB.
  static let maximumHeaderLength = 100_000_000

  /// Keeps the bytes.
  let file: MappedFile
  private let bytes: UnsafeRawBufferPointer
  private(set) var position: Int

  /// - Parameter position: Where to begin, within the file.
  init(_ file: MappedFile, from position: Int) {
    self.file = file
    self.position = position
    bytes = UnsafeRawBufferPointer(rebasing: file.bytes.prefix(Self.maximumHeaderLength))
  }

  /// How many bytes are left.
  var remaining: Int { bytes.count - position }

  /// Passes over some bytes and gives their place.
  mutating func take(_ count: Int, _ what: @autoclosure () -> String) throws -> Range<Int> {
    guard count <= remaining else {
      throw damaged("\(what()) of at most \(remaining) bytes at \(position)", "\(count)")
    }
    defer { position += count }
    return position..<position + count
  }

  mutating func number<Number: BitwiseCopyable>(
    _ type: Number.Type, _ what: @autoclosure () -> String
  ) throws -> Number {
    let range = try take(MemoryLayout<Number>.size, what())
    return bytes.loadUnaligned(fromByteOffset: range.lowerBound, as: type)
  }

  /// A count of things of which each takes at least `size` bytes.
  mutating func count(eachOf size: Int, _ what: @autoclosure () -> String) throws -> Int {
    let count = try number(UInt64.self, "the number of \(what())")
    guard count <= UInt64(remaining / size) else {
      throw damaged("at most \(remaining / size) \(what())", "\(count)")
    }
    return Int(count)
  }

  mutating func text(
    _ what: @autoclosure () -> String, atMost limit: Int = .max
  ) throws -> String {
    let length = try count(eachOf: 1, "bytes of \(what())")
    guard length <= limit else { throw damaged("\(what()) of at most \(limit) bytes", "\(length)") }
    let text = UnsafeRawBufferPointer(rebasing: bytes[try take(length, what())])
    guard let text = String(validating: text, as: UTF8.self) else {
      throw damaged("\(what()) in UTF-8", "other bytes")
    }
    return text
  }
}
