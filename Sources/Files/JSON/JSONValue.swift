import Files

/// A piece of JSON. Numbers keep their spelling, objects the order of their members.
enum JSONValue {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  /// A text that stands for bytes which are not UTF-8, as names of files may be: Python writes each
  /// such byte as half of a surrogate pair, U+DC00 plus the byte (PEP 383).
  case bytes([UInt8])
  case array([JSONValue])
  case object([(name: String, value: JSONValue)])

  /// What a message calls it.
  var kind: String {
    switch self {
    case .null: return "null"
    case .bool: return "true or false"
    case .number: return "a number"
    case .string: return "a text"
    case .bytes: return "a text that is not UTF-8"
    case .array: return "a list"
    case .object: return "an object"
    }
  }

  /// The name of a file that a text stands for, as `FileName` has it; nil where it is no text.
  var name: String? {
    switch self {
    case .string(let text): return FileName.text(text.utf8)
    case .bytes(let bytes): return FileName.text(bytes)
    default: return nil
    }
  }
}
