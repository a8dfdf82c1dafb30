import Files

/// The JSON of a safetensors header, as written.
struct HeaderDocument: Encodable {
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

  /// What is not as the format has it.
  struct Problem: Error {
    var found: String
  }

  /// The one key that is not a tensor's name.
  static let metadataKey = "__metadata__"

  private(set) var metadata: [String: String] = [:]
  private(set) var entries: [String: Entry] = [:]

  init(metadata: [String: String], entries: [String: Entry]) {
    self.metadata = metadata
    self.entries = entries
  }

  /// - Throws: `Problem`.
  init(_ value: JSONValue) throws {
    for (name, value) in try value.texts("the header") {
      if name == Self.metadataKey {
        for (key, value) in try value.texts(name) {
          guard case .string(let text) = value else {
            throw Problem(found: "\(value.kind) at \(name).\(key)")
          }
          metadata[key] = text
        }
      } else if entries.updateValue(try Entry(value, name), forKey: name) != nil {
        throw Problem(found: "the name \(name), which occurs twice")
      }
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    if !metadata.isEmpty {
      try container.encode(metadata, forKey: Key(stringValue: Self.metadataKey))
    }
    for (name, entry) in entries {
      try container.encode(entry, forKey: Key(stringValue: name))
    }
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}

extension HeaderDocument.Entry {
  fileprivate init(_ value: JSONValue, _ name: String) throws {
    func field(_ key: String) throws -> JSONValue {
      let found = value.members(named: key)
      guard found.count == 1 else {
        throw HeaderDocument.Problem(found: "\(found.count) of \(name).\(key)")
      }
      return found[0]
    }
    func integers(_ key: String) throws -> [Int] {
      guard case .array(let elements) = try field(key) else {
        throw HeaderDocument.Problem(found: "no list at \(name).\(key)")
      }
      return try elements.map { element in
        guard let integer = element.integer else {
          throw HeaderDocument.Problem(found: "\(element.words) in \(name).\(key)")
        }
        return integer
      }
    }
    guard case .string(let dtype) = try field("dtype") else {
      throw HeaderDocument.Problem(found: "no text at \(name).dtype")
    }
    self.init(
      dtype: dtype, shape: try integers("shape"), dataOffsets: try integers("data_offsets"))
  }
}

extension JSONValue {
  /// The members of an object whose names are texts.
  fileprivate func texts(_ place: String) throws -> [(String, JSONValue)] {
    guard case .object(let members) = self else {
      throw HeaderDocument.Problem(found: "\(kind) as \(place)")
    }
    return try members.map { name, value in
      guard let name else { throw HeaderDocument.Problem(found: "a name that is not UTF-8") }
      return (name, value)
    }
  }
}
