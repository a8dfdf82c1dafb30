/// A piece of JSON. Numbers keep their spelling, objects the order of their members.
///
/// What Python writes beyond the standard is a value too, so that it harms only those who read it: `NaN`
/// and the infinities are numbers, and halves of surrogate pairs are no text.
package enum JSONValue {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  /// A text that stands for bytes which are not UTF-8, as names of files may be: Python writes each
  /// such byte as half of a surrogate pair, U+DC00 plus the byte (PEP 383).
  case bytes([UInt8])
  /// A text with half of a surrogate pair that stands for nothing.
  case brokenText
  case array([JSONValue])
  /// A name that is no text is nil.
  case object([(name: String?, value: JSONValue)])

  /// What a message calls it.
  package var kind: String {
    switch self {
    case .null: return "null"
    case .bool: return "true or false"
    case .number(let text):
      return ["NaN", "Infinity", "-Infinity"].contains(text) ? text : "a number"
    case .string: return "a text"
    case .bytes: return "a text that is not UTF-8"
    case .brokenText: return "a text with half of a surrogate pair"
    case .array: return "a list"
    case .object: return "an object"
    }
  }

  /// What a message calls it where it was to be another: a number by its digits.
  package var words: String {
    guard case .number(let text) = self else { return kind }
    return text.utf8.count > 40 ? kind : text
  }

  /// A whole number of 64 bits, written as one.
  package var integer: Int? {
    guard case .number(let text) = self else { return nil }
    return Int(text)
  }

  /// The members of an object that have a name, compared by its bytes: more than one where the name is
  /// given twice, none also of what is no object.
  package func members(named name: String) -> [JSONValue] {
    guard case .object(let members) = self else { return [] }
    return members.filter { $0.name?.utf8.elementsEqual(name.utf8) == true }.map(\.value)
  }

  /// The name of a file that a text stands for, as `FileName` has it; nil where it is no text.
  package var name: String? {
    switch self {
    case .string(let text): return FileName.text(text.utf8)
    case .bytes(let bytes): return FileName.text(bytes)
    default: return nil
    }
  }
}
