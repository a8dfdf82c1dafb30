import Files
import Foundation

/// A value and its place in a file, for messages.
///
/// Texts are compared by their bytes: Swift holds canonically equal strings equal, and a vocabulary has
/// tokens that differ in nothing else.
struct JSONField {
  let value: JSONValue
  let place: String
  let file: String

  /// `tokenizer.json` is at most a dozen levels deep, and the largest public one holds half as many values.
  private static let limits = JSONScanner.Limits(
    depth: 31, length: TokenizerFile.maximumByteCount, values: 4_000_000)

  /// - Throws: `TokenizerError`.
  static func read(_ url: URL) throws -> JSONField {
    try read(TokenizerFile.contents(of: url), file: url.path)
  }

  static func read(_ bytes: [UInt8], file: String) throws -> JSONField {
    do {
      return JSONField(
        value: try JSONScanner.document(bytes, limits: limits), place: "", file: file)
    } catch let failure as JSONScanner.Failure {
      throw FilePlace(file: file, place: "byte \(failure.offset)")
        .damaged("JSON", failure.problem)
    }
  }

  /// The member of this name; nil where there is none or it is null.
  /// - Throws: `TokenizerError.damaged` where the field is no object.
  func member(_ name: String) throws -> JSONField? {
    guard case .object = value else { throw mismatch("an object") }
    let named = value.members(named: name)
    guard named.count <= 1 else {
      throw mismatch("\(name) once", found: "it \(named.count) times")
    }
    guard let found = named.first else { return nil }
    if case .null = found { return nil }
    return JSONField(value: found, place: place(of: name), file: file)
  }

  func required(_ name: String) throws -> JSONField {
    if let field = try member(name) { return field }
    throw FilePlace(file: file, place: place(of: name)).damaged("a value", "none")
  }

  private func place(of member: String) -> String {
    place.isEmpty ? member : "\(place).\(member)"
  }

  /// The members of an object whose keys are no words of the format, but tokens or ids.
  func members() throws -> [(key: [UInt8], value: JSONValue)] {
    guard case .object(let members) = value else { throw mismatch("an object") }
    var seen: Set<[UInt8]> = []
    return try members.map { name, value in
      guard let key = name.map({ Array($0.utf8) }) else {
        throw mismatch("keys that are texts", found: "one that is not UTF-8")
      }
      guard seen.insert(key).inserted else {
        throw mismatch("a key not seen before", found: TokenizerFile.excerpt(key))
      }
      return (key, value)
    }
  }

  func elements() throws -> [JSONField] {
    guard case .array(let values) = value else { throw mismatch("a list") }
    return values.enumerated().map {
      JSONField(value: $1, place: "\(place)[\($0)]", file: file)
    }
  }

  func bytes() throws -> [UInt8] {
    guard case .string(let text) = value else { throw mismatch("a text") }
    return Array(text.utf8)
  }

  func text() throws -> String { String(decoding: try bytes(), as: UTF8.self) }

  func boolean() throws -> Bool {
    guard case .bool(let value) = value else { throw mismatch("true or false") }
    return value
  }

  func integer() throws -> Int {
    guard let value = value.integer else { throw mismatch("an integer") }
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

  /// Two tokens, written as `"a b"` or as `["a", "b"]`.
  func pair() throws -> (left: [UInt8], right: [UInt8]) {
    guard case .array = value else { return try location.pair(bytes()) }
    let parts = try elements().map { try $0.bytes() }
    guard parts.count == 2 else { throw mismatch("two tokens") }
    return (parts[0], parts[1])
  }

  var location: FilePlace {
    FilePlace(file: file, place: place.isEmpty ? "the document" : place)
  }

  func mismatch(_ expected: String, found: String? = nil) -> TokenizerError {
    location.damaged(expected, found ?? value.kind)
  }
}
