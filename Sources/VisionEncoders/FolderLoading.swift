import Foundation
import Layers
import PublicFormats
import WeightFiles

extension ViT {
  public init(folder: URL) throws {
    let file = try ModelConfigurationFile(folder.appendingPathComponent("config.json"))
    let configuration =
      try file.modelType() == Self.wholeModelType
      ? file.decoded(WholeModel<Configuration>.self).vision : file.decoded(Configuration.self)
    if let problem = configuration.problem {
      throw ModelConfigurationError.bad(file: file.url.path, reason: problem)
    }
    self.init(configuration, ParameterInitialiser(seed: 0))
    try publicFormat.load(into: namedParameters, from: WeightFolder(folder))
  }
}

private struct WholeModel<Vision: Decodable>: Decodable {
  let vision: Vision

  enum CodingKeys: String, CodingKey { case vision = "vision_config" }
}
