/// Reads JSON values one after another from bytes, so that a list of millions of records is never
/// in memory as a whole.
///
/// Strict (RFC 8259, and what Python writes beyond it) and bounded: nesting, number of values and length
/// have limits, and whatever the bytes are, the result is a value or a ``Failure`` that says where.
package struct JSONScanner {
  package struct Failure: Error {
    /// The byte at which reading stopped.
    package var offset: Int
    package var problem: String
  }

  package struct Limits: Sendable {
    /// The deepest nesting of lists and objects in one value.
    package var depth = 64
    /// The most bytes of one value.
    package var length = 16 << 20
    /// The most values within one, itself among them.
    package var values = Int.max

    package init(depth: Int = 64, length: Int = 16 << 20, values: Int = .max) {
      self.depth = depth
      self.length = length
      self.values = values
    }
  }

  package let bytes: UnsafeBufferPointer<UInt8>
  package private(set) var offset = 0
  private let limits: Limits
  private var valueEnd = 0
  private var valueCount = 0

  package init(_ bytes: UnsafeBufferPointer<UInt8>, limits: Limits = Limits()) {
    self.bytes = bytes
    self.limits = limits
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
  }

  /// The only value of a text.
  package static func document(_ bytes: [UInt8], limits: Limits = Limits()) throws -> JSONValue {
    try bytes.withUnsafeBufferPointer { try document($0, limits: limits) }
  }

  package static func document(
    _ bytes: UnsafeBufferPointer<UInt8>, limits: Limits = Limits()
  ) throws -> JSONValue {
    var scanner = JSONScanner(bytes, limits: limits)
    let value = try scanner.value()
    guard scanner.peek() == nil else { throw scanner.failure("something follows the value") }
    return value
  }

  /// The next byte that is not white space, which stays unread; nil at the end.
  package mutating func peek() -> UInt8? {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x09, 0x0A, 0x0D: offset += 1
      default: return bytes[offset]
      }
    }
    return nil
  }

  /// Reads the next byte if it is the given one.
  package mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard peek() == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  /// The next value.
  package mutating func value() throws -> JSONValue {
    _ = peek()
    valueEnd = offset + min(limits.length, bytes.count - offset)
    valueCount = 0
    return try value(depth: 0)
  }

  /// The line of a byte, counted from 1.
  package func line(of offset: Int) -> Int {
    bytes[..<min(offset, bytes.count)].reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) }
  }

  package func failure(_ problem: String) -> Failure { Failure(offset: offset, problem: problem) }

  private mutating func value(depth: Int) throws -> JSONValue {
    guard depth <= limits.depth else {
      throw failure("nested deeper than \(limits.depth) levels")
    }
    valueCount += 1
    guard valueCount <= limits.values else {
      throw failure("more than \(limits.values) values")
    }
    guard let first = peek() else { throw failure("ends in the middle of a value") }
    guard offset < valueEnd else {
      throw failure("a value is longer than \(limits.length) bytes")
    }
    switch first {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return try text()
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "N"): return try word("NaN", .number("NaN"))
    case UInt8(ascii: "I"): return try word("Infinity", .number("Infinity"))
    case UInt8(ascii: "-") where offset + 1 < bytes.count && bytes[offset + 1] == UInt8(ascii: "I"):
      return try word("-Infinity", .number("-Infinity"))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    case UInt8(ascii: "'"):
      throw failure(
        "expected a JSON value, found ', as Python prints texts; write it by json.dumps")
    case UInt8(ascii: "]"), UInt8(ascii: "}"):
      throw failure("expected a JSON value after the comma; take the comma away")
    case 0x21..<0x7F: throw failure("expected a JSON value, found \(Unicode.Scalar(first))")
    default: throw failure("expected a JSON value, found byte \(first)")
    }
  }

  private mutating func object(depth: Int) throws -> JSONValue {
    offset += 1
    var members: [(name: String?, value: JSONValue)] = []
    if skip("}") { return .object(members) }
    repeat {
      guard peek() == UInt8(ascii: "\"") else { throw failure("expected the name of a field") }
      let name: String?
      if case .string(let text) = try text() { name = text } else { name = nil }
      guard skip(":") else { throw failure("expected \":\" after the name of a field") }
      members.append((name, try value(depth: depth + 1)))
    } while skip(",")
    guard skip("}") else { throw failure("expected \",\" or \"}\" after a field") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws -> JSONValue {
    offset += 1
    var elements: [JSONValue] = []
    if skip("]") { return .array(elements) }
    repeat { elements.append(try value(depth: depth + 1)) } while skip(",")
    guard skip("]") else { throw failure("expected \",\" or \"]\" after an element of a list") }
    return .array(elements)
  }

  private mutating func word(_ text: StaticString, _ value: JSONValue) throws -> JSONValue {
    let end = offset + text.utf8CodeUnitCount
    let matches = text.withUTF8Buffer {
      end <= bytes.count && bytes[offset..<end].elementsEqual($0)
    }
    guard matches else { throw failure("expected a JSON value") }
    offset = end
    return value
  }

  private mutating func number() throws -> String {
    let start = offset
    if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
    let integerStart = offset
    try digits()
    guard bytes[integerStart] != UInt8(ascii: "0") || offset == integerStart + 1 else {
      throw failure("a number begins with 0")
    }
    if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
      offset += 1
      try digits()
    }
    if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
      offset += 1
      if offset < bytes.count, bytes[offset] == 0x2B || bytes[offset] == 0x2D { offset += 1 }
      try digits()
    }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  private mutating func digits() throws {
    let start = offset
    while offset < valueEnd, (0x30...0x39).contains(bytes[offset]) { offset += 1 }
    guard offset > start else { throw failure("expected a digit") }
  }
}

// MARK: Texts

extension JSONScanner {
  private mutating func text() throws -> JSONValue {
    offset += 1
    let start = offset
    var unescaped: [UInt8]?
    var holdsSingleBytes = false
    var isBroken = false
    while offset < valueEnd {
      let byte = bytes[offset]
      switch byte {
      case UInt8(ascii: "\""):
        defer { offset += 1 }
        if isBroken { return .brokenText }
        if holdsSingleBytes, let unescaped { return .bytes(unescaped) }
        let text =
          unescaped.map { String(validating: $0, as: UTF8.self) }
          ?? String(validating: bytes[start..<offset], as: UTF8.self)
        // A name of a file may be any bytes; who wants a text says that this is none.
        return text.map(JSONValue.string) ?? .bytes(unescaped ?? Array(bytes[start..<offset]))
      case UInt8(ascii: "\\"):
        var soFar = unescaped ?? Array(bytes[start..<offset])
        unescaped = nil
        offset += 1
        switch try escape() {
        case .scalar(let scalar): soFar.append(contentsOf: String(scalar).utf8)
        case .byte(let byte):
          soFar.append(byte)
          holdsSingleBytes = true
        case .halfOfPair: isBroken = true
        }
        unescaped = soFar
      case 0..<0x20: throw failure("a text holds a control character; write it as \\u00XX")
      default:
        unescaped?.append(byte)
        offset += 1
      }
    }
    throw failure(
      valueEnd == bytes.count
        ? "ends in the middle of a text" : "a value is longer than \(limits.length) bytes")
  }

  private enum Escape {
    case scalar(Unicode.Scalar)
    /// A byte that is no part of UTF-8.
    case byte(UInt8)
    case halfOfPair
  }

  /// Reads what follows a backslash.
  private mutating func escape() throws -> Escape {
    guard offset < bytes.count else { throw failure("ends in the middle of a text") }
    let character = Unicode.Scalar(bytes[offset])
    offset += 1
    switch character {
    case "\"", "\\", "/": return .scalar(character)
    case "b": return .scalar("\u{8}")
    case "f": return .scalar("\u{C}")
    case "n": return .scalar("\n")
    case "r": return .scalar("\r")
    case "t": return .scalar("\t")
    case "u": return try codePoint()
    default: throw failure("unknown escape \"\\\(character)\"")
    }
  }

  /// Reads four hexadecimal digits, and four more where they are half of a surrogate pair.
  private mutating func codePoint() throws -> Escape {
    let first = try codeUnit()
    if let scalar = Unicode.Scalar(first) { return .scalar(scalar) }
    if (0xDC80...0xDCFF).contains(first) { return .byte(UInt8(first & 0xFF)) }
    let start = offset
    guard first < 0xDC00, offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
      bytes[offset + 1] == UInt8(ascii: "u")
    else { return .halfOfPair }
    offset += 2
    let second = try codeUnit()
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else {
      // The second is one of its own.
      offset = start
      return .halfOfPair
    }
    return .scalar(scalar)
  }

  private mutating func codeUnit() throws -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard offset < bytes.count, let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue
      else { throw failure("expected four hexadecimal digits after \\u") }
      value = value << 4 | UInt32(digit)
      offset += 1
    }
    return value
  }
}
