import Foundation

/// Names of files as texts, without loss: to the system a name is bytes, and not all are UTF-8.
///
/// Valid UTF-8 is itself. Each byte that is no part of valid UTF-8 becomes the scalar U+10FF00 plus the
/// byte, so one of U+10FF80 to U+10FFFF, which Unicode leaves without meaning. A scalar of that
/// range that really stands in a name is written as four of them, one for each of its bytes. So
/// different bytes have different texts, and each text leads back to its bytes.
///
/// Swift compares texts by what they mean: é composed and é in two parts are equal, and are two files.
/// ``NameKey`` compares what the system compares.
public enum FileName {
  /// Where the scalars that stand for single bytes begin.
  private static let base: UInt32 = 0x10FF00
  private static let range: ClosedRange<UInt32> = (base + 0x80)...(base + 0xFF)
  /// The first byte of such a scalar's UTF-8, which few names hold.
  private static let lead: UInt8 = 0xF4

  /// The text that stands for the bytes of a name or path.
  public static func text(_ bytes: some Collection<UInt8>) -> String {
    let text =
      bytes.withContiguousStorageIfAvailable { String(validating: $0, as: UTF8.self) }
      ?? String(validating: bytes, as: UTF8.self)
    if let text, isPlain(text) { return text }
    var result = String.UnicodeScalarView()
    var (rest, iterator, parser) = (bytes[...], bytes.makeIterator(), UTF8.ForwardParser())
    while true {
      let (length, scalar): (Int, Unicode.Scalar?) =
        switch parser.parseScalar(from: &iterator) {
        case .valid(let scalar): (scalar.count, UTF8.decode(scalar))
        case .error(let length): (length, nil)
        case .emptyInput: (0, nil)
        }
      if length == 0 { return String(result) }
      if let scalar, !range.contains(scalar.value) {
        result.append(scalar)
      } else {
        result.append(contentsOf: rest.prefix(length).compactMap { .init(base + UInt32($0)) })
      }
      rest = rest.dropFirst(length)
    }
  }

  /// The text that stands for a name which the system gave, with a zero at its end.
  static func text(cString name: UnsafePointer<CChar>) -> String {
    text(UnsafeRawBufferPointer(start: name, count: strlen(name)))
  }

  /// The bytes that a text stands for.
  public static func bytes(_ text: String) -> [UInt8] {
    guard !isPlain(text) else { return Array(text.utf8) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      if range.contains(scalar.value) {
        bytes.append(UInt8(scalar.value - base))
      } else {
        bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      }
    }
    return bytes
  }

  /// Whether a text is its own bytes.
  public static func isPlain(_ text: String) -> Bool {
    guard text.utf8.contains(lead) else { return true }
    return !text.unicodeScalars.contains { range.contains($0.value) }
  }

  /// Hands a path's bytes to the system, which ends them with a zero.
  public static func withCString<Result>(
    _ path: String, _ body: (UnsafePointer<CChar>) throws -> Result
  ) rethrows -> Result {
    guard !isPlain(path) else { return try path.withCString(body) }
    return try (bytes(path) + [0]).withUnsafeBufferPointer { bytes in
      try bytes.withMemoryRebound(to: CChar.self) { characters in
        guard let start = characters.baseAddress else {
          preconditionFailure("an array with a zero at its end is not empty")
        }
        return try body(start)
      }
    }
  }

  /// A text for people, where each byte that is no part of UTF-8 is spelt out as `\xFF`.
  public static func displayed(_ text: String) -> String {
    guard !isPlain(text) else { return text }
    return text.unicodeScalars.reduce(into: "") { result, scalar in
      if range.contains(scalar.value) {
        result += "\\x" + String(scalar.value - base, radix: 16, uppercase: true)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
  }

  /// JSON that holds names. Bytes that are no part of UTF-8 come out as halves of surrogate
  /// pairs, `\udcff`, as Python writes them and reads them back.
  /// - Parameter encode: Makes the JSON, of which each name is a text of its own.
  public static func json(
    _ names: [String], _ encode: ([String]) throws -> String
  ) rethrows -> String {
    guard names.contains(where: { !isPlain($0) }) else { return try encode(names) }
    // No encoder writes half a pair: words that stand nowhere else hold the places.
    let places = names.map { isPlain($0) ? nil : UUID().uuidString }
    var json = try encode(zip(names, places).map { $1 ?? $0 })
    for case (let name, let place?) in zip(names, places) {
      json = json.replacingOccurrences(of: "\"\(place)\"", with: quoted(name))
    }
    return json
  }

  private static func quoted(_ name: String) -> String {
    name.unicodeScalars.reduce(into: "\"") { result, scalar in
      switch scalar {
      case "\"", "\\": result += "\\\(scalar)"
      case _ where range.contains(scalar.value):
        result += "\\udc" + String(scalar.value - base, radix: 16)
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    } + "\""
  }
}
