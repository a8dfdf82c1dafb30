import Foundation
import Layers
import WeightFiles

/// CLIP's image encoder as Hugging Face folders hold it: by itself (`clip_vision_model`), or within
/// a whole model (`clip`), whose text encoder and projections are left out.
extension CLIPViT {
  public static let modelTypes = ["clip", "clip_vision_model"]

  public init(folder: URL) throws {
    let file = folder.appendingPathComponent("config.json")
    let configuration = try ModelConfigurationFile(file)
      .visionSection(CLIPViTConfiguration.self, ofWholeModel: "clip")
    if let problem = configuration.problem {
      throw ModelConfigurationError.bad(file: file.path, reason: problem)
    }
    self.init(configuration, ParameterInitialiser(seed: 0))
    try load(namedParameters, from: WeightFolder(folder)) { name in
      // Newer releases of the library leave the prefix out.
      [CLIPViT.prefix + CLIPViT.names(name), CLIPViT.names(name)]
    }
  }

  public func publicName(of parameter: String) -> String {
    CLIPViT.prefix + CLIPViT.names(parameter)
  }

  public var publicConfiguration: [String: Any] { configuration.publicValues }

  public func publicShape(of parameter: String, _ shape: [Int]) -> [Int] {
    switch parameter {
    case "classToken": [shape[2]]
    case "positions": [shape[1], shape[2]]
    default: embedding.publicShape(of: parameter, shape)
    }
  }

  private static let prefix = "vision_model."

  private static let names = PublicNames(
    outer: [
      ("classToken", "embeddings.class_embedding"),
      ("positions", "embeddings.position_embedding.weight"),
      ("patchEmbedding", "embeddings.patch_embedding"),
      // The library's own spelling.
      ("initialNorm.", "pre_layrnorm."), ("norm.", "post_layernorm."),
    ],
    blocks: "encoder.layers",
    inner: [
      "norm1": "layer_norm1", "query": "self_attn.q_proj", "key": "self_attn.k_proj",
      "value": "self_attn.v_proj", "output": "self_attn.out_proj", "norm2": "layer_norm2",
      "inner": "mlp.fc1", "outer": "mlp.fc2",
    ])
}
