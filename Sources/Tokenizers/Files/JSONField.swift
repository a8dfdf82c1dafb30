/// A value of a JSON document.
///
/// Strings are bytes: Swift holds canonically equal strings equal, so that a dictionary from
/// Foundation's parsers would lose tokens, and would not tell of a key that stands there twice.
enum JSONValue {
  case null
  case boolean(Bool)
  case integer(Int)
  /// A number that is no integer of 64 bits; tokenizers have no use for its value.
  case otherNumber
  case string([UInt8])
  case array([JSONValue])
  case object([JSONMember])

  var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "a boolean"
    case .integer, .otherNumber: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

struct JSONMember {
  let key: [UInt8]
  let value: JSONValue
}

/// A value and its place in a file, for messages.
struct JSONField {
  let value: JSONValue
  let place: String
  let file: String

  /// The member of this name; nil where there is none or it is null.
  /// - Throws: `TokenizerError.damaged` where the field is no object.
  func member(_ name: String) throws -> JSONField? {
    guard case .object(let members) = value else { throw mismatch("an object") }
    let key = Array(name.utf8)
    guard let found = members.first(where: { $0.key == key })?.value else { return nil }
    if case .null = found { return nil }
    return JSONField(value: found, place: place.isEmpty ? name : "\(place).\(name)", file: file)
  }

  func required(_ name: String) throws -> JSONField {
    guard let field = try member(name) else {
      throw TokenizerError.damaged(
        file: file, place: place.isEmpty ? name : "\(place).\(name)", expected: "a value",
        found: "none")
    }
    return field
  }

  func members() throws -> [JSONMember] {
    guard case .object(let members) = value else { throw mismatch("an object") }
    return members
  }

  func elements() throws -> [JSONField] {
    guard case .array(let values) = value else { throw mismatch("an array") }
    return values.enumerated().map {
      JSONField(value: $1, place: "\(place)[\($0)]", file: file)
    }
  }

  func bytes() throws -> [UInt8] {
    guard case .string(let bytes) = value else { throw mismatch("a string") }
    return bytes
  }

  func text() throws -> String { String(decoding: try bytes(), as: UTF8.self) }

  func boolean() throws -> Bool {
    guard case .boolean(let value) = value else { throw mismatch("true or false") }
    return value
  }

  func integer() throws -> Int {
    guard case .integer(let value) = value else { throw mismatch("an integer") }
    return value
  }

  /// An id; whether a vocabulary can have it.
  func id() throws -> Int32 {
    let id = try integer()
    guard (0..<TokenizerFile.maximumTokenCount).contains(id) else {
      throw mismatch("an id from 0 to \(TokenizerFile.maximumTokenCount - 1)", found: "\(id)")
    }
    return Int32(id)
  }

  func mismatch(_ expected: String, found: String? = nil) -> TokenizerError {
    .damaged(
      file: file, place: place.isEmpty ? "the document" : place, expected: expected,
      found: found ?? value.kind)
  }
}
