import Foundation
import Layers
import Tensors
import WeightFiles

/// DINOv2 as Hugging Face folders hold it.
extension DINOv2 {
  public static let modelTypes = ["dinov2"]

  public init(folder: URL) throws {
    let file = folder.appendingPathComponent("config.json")
    let configuration = try ModelConfigurationFile(file).decoded(DINOv2Configuration.self)
    if let problem = configuration.problem {
      throw ModelConfigurationError.bad(file: file.path, reason: problem)
    }
    self.init(configuration, ParameterInitialiser(seed: 0))
    try load(namedParameters, from: WeightFolder(folder)) { name in
      let name = DINOv2.publicNames(name)
      return [name, "dinov2." + name]
    }
  }

  public func publicName(of parameter: String) -> String { DINOv2.publicNames(parameter) }

  public var publicConfiguration: [String: Any] { configuration.publicValues }

  public func publicShape(of parameter: String, _ shape: [Int]) -> [Int] {
    embedding.publicShape(of: parameter, shape)
  }

  private static let publicNames = PublicNames(
    outer: [
      ("classToken", "embeddings.cls_token"), ("positions", "embeddings.position_embeddings"),
      ("patchEmbedding", "embeddings.patch_embeddings.projection"), ("norm.", "layernorm."),
    ],
    blocks: "encoder.layer",
    inner: [
      "norm1": "norm1", "norm2": "norm2", "query": "attention.attention.query",
      "key": "attention.attention.key", "value": "attention.attention.value",
      "output": "attention.output.dense", "scale1": "layer_scale1.lambda1",
      "scale2": "layer_scale2.lambda1", "inner": "mlp.fc1", "outer": "mlp.fc2",
    ])
}
