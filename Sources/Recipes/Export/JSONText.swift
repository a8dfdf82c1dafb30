import Files
import Foundation

/// The text of a JSON object that gains members and elements, and stays as it is otherwise: numbers keep
/// their digits, and names that Swift holds equal stay two, as in vocabularies.
struct JSONText {
  private(set) var bytes: [UInt8]
  /// Where the values of the object's members lie.
  private var members: [String: Range<Int>] = [:]
  /// Where the object ends: its closing brace.
  private var end = 0

  private static let limits = JSONScanner.Limits(depth: 31, length: 1 << 28)

  /// - Throws: `JSONScanner.Failure` for what is no JSON object.
  init(_ bytes: [UInt8]) throws {
    self.bytes = bytes
    try find()
  }

  private mutating func find() throws {
    (members, end) = try bytes.withUnsafeBufferPointer { buffer in
      var scanner = JSONScanner(buffer, limits: Self.limits)
      var members: [String: Range<Int>] = [:]
      guard scanner.skip("{") else { throw scanner.failure("expected an object") }
      if scanner.peek() != UInt8(ascii: "}") {
        repeat {
          let name = try scanner.value()
          guard scanner.skip(":") else { throw scanner.failure("expected \":\" after a name") }
          _ = scanner.peek()
          let start = scanner.offset
          _ = try scanner.value()
          if case .string(let text) = name { members[text] = start..<scanner.offset }
        } while scanner.skip(",")
      }
      _ = scanner.peek()
      let end = scanner.offset
      guard scanner.skip("}") else { throw scanner.failure("expected \",\" or \"}\"") }
      return (members, end)
    }
  }

  func has(_ name: String) -> Bool { members[name] != nil }

  /// Adds a member of the object.
  mutating func add(_ name: String, _ value: some Encodable) throws {
    let text = try JSONLine.text(name) + ": " + JSONLine.text(value)
    try insert(text, before: end, isFirst: members.isEmpty)
  }

  /// Adds an element to the list that a member is, or a member to the object that it is.
  /// - Parameter key: The name within an object; nil for a list. What is not there begins with it.
  mutating func add(to name: String, key: String? = nil, _ value: some Encodable) throws {
    guard let place = members[name] else {
      if let key { return try add(name, [key: value]) }
      return try add(name, [value])
    }
    let text = try (key.map { try JSONLine.text($0) + ": " } ?? "") + JSONLine.text(value)
    let inside = bytes[place].dropFirst().dropLast()
    let isEmpty = inside.allSatisfy { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    try insert(text, before: place.upperBound - 1, isFirst: isEmpty)
  }

  private mutating func insert(_ text: String, before place: Int, isFirst: Bool) throws {
    bytes.insert(contentsOf: Array(((isFirst ? "" : ", ") + text).utf8), at: place)
    try find()
  }
}
