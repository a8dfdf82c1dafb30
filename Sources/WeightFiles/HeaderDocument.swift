import Foundation

/// The JSON of a safetensors header, as written.
struct HeaderDocument: Codable {
  struct Entry: Codable {
    let dtype: String
    let shape: [Int]
    /// Begin and end of the tensor's bytes, counted from the end of the header.
    let dataOffsets: [Int]

    private enum CodingKeys: String, CodingKey {
      case dtype, shape
      case dataOffsets = "data_offsets"
    }
  }

  /// The one key that is not a tensor's name.
  static let metadataKey = "__metadata__"

  var metadata: [String: String] = [:]
  var entries: [String: Entry] = [:]
  /// How many different keys the object has.
  let keyCount: Int

  init(from decoder: Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    keyCount = container.allKeys.count
    for key in container.allKeys {
      if key.stringValue == Self.metadataKey {
        metadata = try container.decode([String: String].self, forKey: key)
      } else {
        entries[key.stringValue] = try container.decode(Entry.self, forKey: key)
      }
    }
  }

  init(metadata: [String: String], entries: [String: Entry]) {
    self.metadata = metadata
    self.entries = entries
    keyCount = entries.count + (metadata.isEmpty ? 0 : 1)
  }

  func encode(to encoder: Encoder) throws {
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

/// The short wording of a JSON decoder's error: where and what, without the nested system errors.
enum JSONProblem {
  static func wording(_ error: any Error) -> String {
    let context: DecodingError.Context
    switch error {
    case DecodingError.dataCorrupted(let found): context = found
    case DecodingError.keyNotFound(_, let found): context = found
    case DecodingError.typeMismatch(_, let found): context = found
    case DecodingError.valueNotFound(_, let found): context = found
    default: return "text that does not parse"
    }
    let place = context.codingPath.map(\.stringValue).joined(separator: ".")
    return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
  }
}
