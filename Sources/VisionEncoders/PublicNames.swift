import Layers
import WeightFiles

/// How the parameters of a vision transformer are named in one public format.
struct PublicNames {
  /// Beginnings of our names and of theirs, for all that is not in a block.
  let outer: [(ours: String, theirs: String)]
  /// What stands before a block's number.
  let blocks: String
  /// The members of a block.
  let inner: [String: String]

  func callAsFunction(_ name: String) -> String {
    for (ours, theirs) in outer where name.hasPrefix(ours) {
      return theirs + name.dropFirst(ours.count)
    }
    let parts = name.split(separator: ".", maxSplits: 3).map(String.init)
    guard parts.count >= 3, parts[0] == "blocks", let member = inner[parts[2]] else { return name }
    return ([blocks, parts[1], member] + parts.dropFirst(3)).joined(separator: ".")
  }
}

extension VisionEncoder {
  /// Gives parameters the values of tensors in their public shapes; float32 stays where it is mapped.
  /// - Parameter fileNames: The names that a parameter may have, the preferred one first.
  /// - Throws: `WeightFileError.missingTensor` and `.wrongShape`, which names both shapes as files
  ///   have them.
  func load(
    _ parameters: [NamedParameter], from weights: WeightFolder, fileNames: (String) -> [String]
  ) throws {
    for entry in parameters {
      guard let name = fileNames(entry.name).first(where: weights.contains) else { continue }
      let found = try weights.shape(of: name)
      let expected = publicShape(of: entry.name, entry.parameter.shape)
      guard found == expected else {
        throw WeightFileError.wrongShape(
          file: try weights.tensor(named: name).file.path, tensor: name, expected: expected,
          found: found)
      }
    }
    _ = try weights.load(into: parameters, fileNames: fileNames) { _, stored, parameter in
      stored.reshaped(parameter.shape)
    }
  }
}

extension ModelConfigurationFile {
  /// What the file says of the image encoder: its `vision_config` if it is that of a whole model.
  func visionSection<Value: Decodable>(
    _ type: Value.Type, ofWholeModel modelType: String
  ) throws -> Value {
    try self.modelType() == modelType
      ? decoded(WholeModel<Value>.self).vision : decoded(type)
  }
}

private struct WholeModel<Vision: Decodable>: Decodable {
  let vision: Vision

  enum CodingKeys: String, CodingKey { case vision = "vision_config" }
}
