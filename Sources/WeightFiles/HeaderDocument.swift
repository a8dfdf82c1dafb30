import Files

/// The JSON of a safetensors header, as written.
struct HeaderDocument {
  struct Entry: Encodable {
    let dtype: String
    let shape: [Int]
    /// Begin and end of the tensor's bytes, counted from the end of the header.
    let dataOffsets: [Int]

    private enum CodingKeys: String, CodingKey {
      case dtype, shape
      case dataOffsets = "data_offsets"
    }
  }

  /// What stands behind a name, for an encoder.
  enum Member: Encodable {
    case metadata([String: String])
    case tensor(Entry)

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .metadata(let notes): try notes.encode(to: encoder)
      case .tensor(let entry): try entry.encode(to: encoder)
      }
    }
  }

  /// The one key that is not a tensor's name.
  static let metadataKey = "__metadata__"

  private(set) var metadata: [String: String] = [:]
  private(set) var entries: [String: Entry] = [:]

  /// - Throws: `FormatProblem`.
  init(_ value: JSONValue) throws {
    for (name, value) in try value.texts("the header") {
      if name == Self.metadataKey {
        for (key, value) in try value.texts(name) {
          guard case .string(let text) = value else {
            throw Self.problem("\(value.kind) at \(name).\(key)")
          }
          metadata[key] = text
        }
      } else if entries.updateValue(try Entry(value, name), forKey: name) != nil {
        throw Self.problem("the name \(name), which occurs twice")
      }
    }
  }

  static func problem(_ found: String) -> FormatProblem {
    damaged("a JSON object of tensors", found)
  }
}

extension HeaderDocument.Entry {
  fileprivate init(_ value: JSONValue, _ name: String) throws {
    func field(_ key: String) throws -> JSONValue {
      let found = value.members(named: key)
      guard found.count == 1 else {
        throw HeaderDocument.problem("\(found.count) of \(name).\(key)")
      }
      return found[0]
    }
    func integers(_ key: String) throws -> [Int] {
      guard case .array(let elements) = try field(key) else {
        throw HeaderDocument.problem("no list at \(name).\(key)")
      }
      return try elements.map { element in
        guard let integer = element.integer else {
          throw HeaderDocument.problem("\(element.words) in \(name).\(key)")
        }
        return integer
      }
    }
    guard case .string(let dtype) = try field("dtype") else {
      throw HeaderDocument.problem("no text at \(name).dtype")
    }
    self.init(
      dtype: dtype, shape: try integers("shape"), dataOffsets: try integers("data_offsets"))
  }
}

extension JSONValue {
  /// The members of an object whose names are texts.
  fileprivate func texts(_ place: String) throws -> [(String, JSONValue)] {
    guard case .object(let members) = self else {
      throw HeaderDocument.problem("\(kind) as \(place)")
    }
    return try members.map { name, value in
      guard let name else { throw HeaderDocument.problem("a name that is not UTF-8") }
      return (name, value)
    }
  }
}
