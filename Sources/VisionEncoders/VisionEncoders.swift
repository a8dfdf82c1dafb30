import Foundation
import WeightFiles

/// The families of image encoders that are read.
public enum VisionEncoderFamily {
  /// A new family adds a folder and a line here.
  private static let families: [any VisionEncoder.Type] = [
    CLIPViT.self,
    DINOv2.self,
    EVAViT.self,
  ]

  /// Reads an encoder from its folder, or from a file in the names of EVA's authors.
  /// - Parameter heads: The number of attention heads, which such a file may leave open.
  /// - Throws: `ModelConfigurationError`, `VisionEncoderError` or `WeightFileError`.
  public static func encoder(at url: URL, heads: Int? = nil) throws -> any VisionEncoder {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw ModelConfigurationError.bad(
        file: url.path,
        reason: "not found; expected a folder with config.json and weights, or a file of weights")
    }
    return isFolder.boolValue ? try encoder(folder: url) : try EVAViT(file: url, heads: heads)
  }

  /// Reads the encoder of a folder, whichever family it is of by the `model_type` of its
  /// `config.json`.
  /// - Throws: `ModelConfigurationError`, `VisionEncoderError` or `WeightFileError`.
  public static func encoder(folder: URL) throws -> any VisionEncoder {
    let file = folder.appendingPathComponent("config.json")
    let name = try ModelConfigurationFile(file).modelType()
    guard let family = families.first(where: { $0.modelTypes.contains(name) }) else {
      throw ModelConfigurationError.unknownFamily(
        file: file.path, found: name, known: families.flatMap { $0.modelTypes }.sorted())
    }
    return try family.init(folder: folder)
  }
}
