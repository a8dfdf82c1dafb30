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
    guard
      case .outermostKeys = file.withBytes({
        JSONOutline.scan($0, maximumDepth: 8)
      })
    else {
      throw damaged("JSON in UTF-8, at most 8 levels deep", "something else")
    }
    do {
      fileNames = try JSONDecoder().decode(Document.self, from: file.withBytes { Data($0) })
        .fileNames
    } catch {
      throw damaged("an index of shards in JSON", JSONProblem.wording(error))
    }
    guard !fileNames.isEmpty else { throw damaged("names in weight_map", "none") }
    // An index must not lead out of its folder.
    for name in fileNames.values
    where name.isEmpty || name == "." || name == ".." || name.contains("/") {
      throw damaged("file names without folders in weight_map", name)
    }
  }

  private struct Document: Decodable {
    let fileNames: [String: String]

    private enum CodingKeys: String, CodingKey {
      case fileNames = "weight_map"
    }
  }
}
