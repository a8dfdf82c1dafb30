import Files
import Foundation

/// `model.safetensors.index.json` or `pytorch_model.bin.index.json`: which file of the folder holds
/// which tensor.
struct ShardIndex {
  /// File name by tensor name.
  let fileNames: [String: String]

  init(_ url: URL) throws {
    fileNames = try MappedFile(url.path).decoded { bytes in
      do {
        return try Self.fileNames(in: bytes)
      } catch let failure as JSONScanner.Failure {
        throw damaged("an index of shards in JSON", FileKind.words(bytes, orElse: failure.problem))
      }
    }
  }

  private static func fileNames(in bytes: UnsafeRawBufferPointer) throws -> [String: String] {
    let limit = SafetensorsFile.maximumHeaderLength
    guard bytes.count <= limit else { throw damaged("at most \(limit) bytes", "\(bytes.count)") }
    let maps = try JSONScanner.document(
      bytes.bindMemory(to: UInt8.self), limits: JSONScanner.Limits(depth: 8, length: limit)
    ).members(named: "weight_map")
    guard maps.count == 1, case .object(let members) = maps[0] else {
      throw damaged("an index of shards with one weight_map", "another")
    }
    guard !members.isEmpty else { throw damaged("names in weight_map", "none") }
    var fileNames: [String: String] = [:]
    for (name, value) in members {
      guard let name, case .string(let file) = value else {
        throw damaged(
          "an index of shards by names of files in weight_map",
          "\(value.kind) for \(name ?? "a name")")
      }
      guard fileNames.updateValue(file, forKey: name) == nil else {
        throw damaged("distinct names in weight_map", "\(name) twice")
      }
      // An index must not lead out of its folder.
      guard !["", ".", ".."].contains(file), !file.contains("/") else {
        throw damaged("file names without folders in weight_map", file)
      }
    }
    return fileNames
  }
}

extension ShardIndex {
  /// An index as transformers writes it.
  /// - Parameters:
  ///   - fileNames: By tensor name.
  ///   - byteCount: The bytes of all tensors.
  static func document(fileNames: [String: String], byteCount: Int) throws -> Data {
    try JSONSerialization.data(
      withJSONObject: ["metadata": ["total_size": byteCount], "weight_map": fileNames],
      options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]) + Data("\n".utf8)
  }
}
