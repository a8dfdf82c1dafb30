import Foundation
import Layers
import Tensors
import WeightFiles

/// DINOv2 as Hugging Face folders hold it.
extension DINOv2 {
  public static let modelTypes = ["dinov2"]

  public init(folder: URL) throws {
    let file = folder.appendingPathComponent("config.json")
    let stored = try ModelConfigurationFile(file)
    let configuration = try stored.decoded(DINOv2Configuration.self)
    if let problem = try configuration.problem ?? stored.decoded(Variant.self).problem {
      throw ModelConfigurationError.bad(file: file.path, reason: problem)
    }
    self.init(configuration, ParameterInitialiser(seed: 0))
    try load(namedParameters, from: WeightFolder(folder)) { name in
      let name = DINOv2.publicNames(name)
      return [name, "dinov2." + name]
    }
  }

  /// What the configuration says about the blocks; of the variants, only the plain one is here.
  private struct Variant: Decodable {
    let activation: String?
    let usesSwiGLU: Bool?

    enum CodingKeys: String, CodingKey {
      case activation = "hidden_act"
      case usesSwiGLU = "use_swiglu_ffn"
    }

    var problem: String? {
      if usesSwiGLU == true { return "use_swiglu_ffn: expected false, found true (not supported)" }
      guard let activation, activation != "gelu" else { return nil }
      return "hidden_act: expected gelu, found \(activation)"
    }
  }

  public func publicName(of parameter: String) -> String { DINOv2.publicNames(parameter) }

  public var publicConfiguration: [String: Any] {
    [
      "architectures": ["Dinov2Model"], "model_type": "dinov2", "hidden_act": "gelu",
      "num_channels": 3, "qkv_bias": true, "use_swiglu_ffn": false,
      "hidden_size": configuration.width, "num_hidden_layers": configuration.layers,
      "num_attention_heads": configuration.heads, "mlp_ratio": configuration.feedForwardRatio,
      "patch_size": configuration.patchSize, "image_size": configuration.imageSize,
      "layer_norm_eps": configuration.layerNormEpsilon,
      "layerscale_value": configuration.initialLayerScale,
      "initializer_range": configuration.initialDeviation,
    ]
  }

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
