import Foundation

/// Reads JSON (RFC 8259) strictly, within bounds on depth and number of values; a key that an object
/// has twice is refused.
struct JSONReader {
  /// `tokenizer.json` is at most a dozen levels deep.
  private static let maximumDepth = 32
  /// Twice what the largest public `tokenizer.json` holds.
  private static let maximumValueCount = 4_000_000

  private let bytes: UnsafeBufferPointer<UInt8>
  private let file: String
  private var position = 0
  private var valueCount = 0

  /// - Throws: `TokenizerError`.
  static func read(_ url: URL) throws -> JSONField {
    try read(TokenizerFile.contents(of: url), file: url.path)
  }

  static func read(_ bytes: [UInt8], file: String) throws -> JSONField {
    try bytes.withUnsafeBufferPointer { bytes in
      var reader = JSONReader(bytes: bytes, file: file)
      guard String(validating: bytes, as: UTF8.self) != nil else {
        throw reader.damaged("UTF-8", "other bytes")
      }
      let value = try reader.value(depth: 0)
      reader.skipSpace()
      guard reader.position == bytes.count else { throw reader.unexpected("the end") }
      return JSONField(value: value, place: "", file: file)
    }
  }

  private init(bytes: UnsafeBufferPointer<UInt8>, file: String) {
    self.bytes = bytes
    self.file = file
  }

  private func damaged(_ expected: String, _ found: String) -> TokenizerError {
    .damaged(file: file, place: "byte \(position)", expected: expected, found: found)
  }

  private func unexpected(_ expected: String) -> TokenizerError {
    damaged(
      expected,
      position < bytes.count ? TokenizerFile.excerpt(bytes[position...].prefix(8)) : "the end")
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  /// Goes behind `byte` if it is next.
  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: byte) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws -> JSONValue {
    skipSpace()
    valueCount += 1
    guard valueCount <= Self.maximumValueCount else {
      throw damaged("at most \(Self.maximumValueCount) values", "more")
    }
    guard depth < Self.maximumDepth else {
      throw damaged("at most \(Self.maximumDepth) levels", "more")
    }
    guard let byte = next else { throw unexpected("a value") }
    switch byte {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default:
      for (word, value) in [
        ("true", JSONValue.boolean(true)), ("false", .boolean(false)), ("null", .null),
      ]
      where bytes[position...].starts(with: word.utf8) {
        position += word.utf8.count
        return value
      }
      throw unexpected("a value")
    }
  }

  private mutating func array(depth: Int) throws -> JSONValue {
    position += 1
    var values: [JSONValue] = []
    skipSpace()
    if take("]") { return .array(values) }
    repeat {
      values.append(try value(depth: depth + 1))
      skipSpace()
    } while take(",")
    guard take("]") else { throw unexpected("a comma or ]") }
    return .array(values)
  }

  private mutating func object(depth: Int) throws -> JSONValue {
    position += 1
    var members: [JSONMember] = []
    var keys: Set<[UInt8]> = []
    skipSpace()
    if take("}") { return .object(members) }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw unexpected("a key") }
      let key = try string()
      guard keys.insert(key).inserted else {
        throw damaged("a key not seen before", TokenizerFile.excerpt(key))
      }
      skipSpace()
      guard take(":") else { throw unexpected("a colon") }
      members.append(JSONMember(key: key, value: try value(depth: depth + 1)))
      skipSpace()
    } while take(",")
    guard take("}") else { throw unexpected("a comma or }") }
    return .object(members)
  }

  private mutating func number() throws -> JSONValue {
    let start = position
    _ = take("-")
    if !take("0") { try digits() }
    var isInteger = true
    if take(".") {
      isInteger = false
      try digits()
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("+") { _ = take("-") }
      try digits()
    }
    guard isInteger, let value = Int(String(decoding: bytes[start..<position], as: UTF8.self))
    else { return .otherNumber }
    return .integer(value)
  }

  private mutating func digits() throws {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    guard position > start else { throw unexpected("a digit") }
  }
}

extension JSONReader {
  private mutating func string() throws -> [UInt8] {
    position += 1
    var result: [UInt8] = []
    while true {
      let start = position
      while let byte = next, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
        position += 1
      }
      result += bytes[start..<position]
      if take("\"") { return result }
      guard take("\\") else { throw unexpected("a character of a string") }
      try appendEscape(to: &result)
    }
  }

  private mutating func appendEscape(to result: inout [UInt8]) throws {
    guard let byte = next else { throw unexpected("an escape") }
    let simple: UInt8
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): simple = byte
    case UInt8(ascii: "b"): simple = 0x08
    case UInt8(ascii: "f"): simple = 0x0C
    case UInt8(ascii: "n"): simple = 0x0A
    case UInt8(ascii: "r"): simple = 0x0D
    case UInt8(ascii: "t"): simple = 0x09
    case UInt8(ascii: "u"):
      position += 1
      result += try escapedScalar().utf8
      return
    default: throw unexpected("an escape")
    }
    position += 1
    result.append(simple)
  }

  private mutating func escapedScalar() throws -> Unicode.Scalar {
    let high = try codeUnit()
    if let scalar = Unicode.Scalar(high) { return scalar }
    guard high < 0xDC00, take("\\"), take("u") else { throw unexpected("half a surrogate pair") }
    let low = try codeUnit()
    guard (0xDC00...0xDFFF).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
    else { throw unexpected("the other half of a surrogate pair") }
    return scalar
  }

  private mutating func codeUnit() throws -> UInt32 {
    guard bytes.count - position >= 4 else { throw unexpected("four hexadecimal digits") }
    var value: UInt32 = 0
    for byte in bytes[position..<position + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw unexpected("four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
    }
    position += 4
    return value
  }
}
