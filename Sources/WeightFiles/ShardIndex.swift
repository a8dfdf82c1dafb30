import Files
import Foundation

/// `model.safetensors.index.json` or `pytorch_model.bin.index.json`: which file of the folder holds
/// which tensor.
struct ShardIndex {
  /// File name by tensor name.
  let fileNames: [String: String]

  init(_ url: URL) throws {
    let file = try MappedFile(url.path)
    func damaged(_ expected: String, _ found: String) -> WeightFileError {
      .damagedHeader(file: file.path, expected: expected, found: found)
    }
    guard file.bytes.count <= SafetensorsHeader.maximumLength else {
      throw damaged("at most \(SafetensorsHeader.maximumLength) bytes", "\(file.bytes.count)")
    }
    var fileNames: [String: String] = [:]
    do {
      let index = try file.withBytes {
        try JSONScanner.document(
          $0.bindMemory(to: UInt8.self),
          limits: JSONScanner.Limits(depth: 8, length: SafetensorsHeader.maximumLength))
      }
      guard case .object(let members)? = index.members(named: "weight_map").first,
        index.members(named: "weight_map").count == 1
      else { throw damaged("an index of shards with one weight_map", "another") }
      for (name, value) in members {
        guard let name, case .string(let file) = value else {
          throw damaged(
            "an index of shards by names of files in weight_map",
            "\(value.kind) for \(name ?? "a name")")
        }
        guard fileNames.updateValue(file, forKey: name) == nil else {
          throw damaged("distinct names in weight_map", "\(name) twice")
        }
      }
    } catch let failure as JSONScanner.Failure {
      throw damaged(
        "an index of shards in JSON", file.withBytes { FileKind.words($0, orElse: failure.problem) }
      )
    }
    self.fileNames = fileNames
    guard !fileNames.isEmpty else { throw damaged("names in weight_map", "none") }
    // An index must not lead out of its folder.
    for name in fileNames.values
    where name.isEmpty || name == "." || name == ".." || name.contains("/") {
      throw damaged("file names without folders in weight_map", name)
    }
  }
}
