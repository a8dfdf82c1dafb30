import Foundation
import Layers
import WeightFiles

/// EVA-CLIP's image encoder as Hugging Face folders hold it: within a BLIP-2 (`blip-2`), or by itself
/// (`blip_2_vision_model`), which is how it is exported.
///
/// The `post_layernorm` of such folders is BLIP-2's trained norm and no part of the encoder.
extension EVAViT {
  public static let modelTypes = ["blip-2", "blip_2_vision_model"]

  public init(folder: URL) throws {
    let file = folder.appendingPathComponent("config.json")
    let configuration = try ModelConfigurationFile(file)
      .visionSection(EVAViTConfiguration.self, ofWholeModel: "blip-2")
    if let problem = configuration.problem {
      throw ModelConfigurationError.bad(file: file.path, reason: problem)
    }
    self.init(configuration, ParameterInitialiser(seed: 0))
    try load(namedParameters, from: WeightFolder(folder)) { name in
      ["vision_model." + EVAViT.names(name), EVAViT.names(name)]
    }
  }

  public func publicName(of parameter: String) -> String { EVAViT.names(parameter) }

  public var publicConfiguration: [String: Any] { configuration.publicValues }

  public func publicShape(of parameter: String, _ shape: [Int]) -> [Int] {
    embedding.publicShape(of: parameter, shape)
  }

  private static let names = PublicNames(
    outer: [
      ("classToken", "embeddings.class_embedding"),
      ("positions", "embeddings.position_embedding"),
      ("patchEmbedding", "embeddings.patch_embedding"),
    ],
    blocks: "encoder.layers",
    inner: [
      "norm1": "layer_norm1", "qkv": "self_attn.qkv", "output": "self_attn.projection",
      "norm2": "layer_norm2", "inner": "mlp.fc1", "outer": "mlp.fc2",
    ])
}
