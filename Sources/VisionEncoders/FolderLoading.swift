import Foundation
import Layers
import PublicFormats
import WeightFiles

extension ViT {
  /// The encoder of a folder.
  /// - Parameter wholeModel: The `model_type` of whole models that it may be the `vision_config` of.
  /// - Throws: `WeightFileError` for weights, `ModelConfigurationError` for the configuration.
  static func read(
    _ folder: URL, ofWholeModel wholeModel: String? = nil,
    make: (Configuration, ParameterInitialiser) -> Self
  ) throws -> Self {
    let file = try ModelConfigurationFile(folder.appendingPathComponent("config.json"))
    let isWhole = try wholeModel == file.modelType()
    let configuration =
      try isWhole
      ? file.decoded(WholeModel<Configuration>.self).vision : file.decoded(Configuration.self)
    if let problem = configuration.problem {
      throw ModelConfigurationError.bad(file: file.url.path, reason: problem)
    }
    let encoder = make(configuration, ParameterInitialiser(seed: 0))
    try encoder.publicFormat.load(into: encoder.namedParameters, from: WeightFolder(folder))
    return encoder
  }
}

private struct WholeModel<Vision: Decodable>: Decodable {
  let vision: Vision

  enum CodingKeys: String, CodingKey { case vision = "vision_config" }
}
