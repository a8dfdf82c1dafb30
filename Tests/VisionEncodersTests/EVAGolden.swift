import Foundation
import Tensors
import TestSupport
import WeightFiles

@testable import VisionEncoders

/// A golden of EVA's encoder, whose weights can be written as a file or folder of either naming.
struct EVAGolden: CustomStringConvertible {
  typealias Weights = [String: WrittenTensor]

  let folder: URL
  var description: String { folder.lastPathComponent }

  static let all = Goldens.folders(beginning: "eva-vit", with: "golden.safetensors").map {
    EVAGolden(folder: $0)
  }

  struct Sizes: Decodable {
    let imgSize: Int
    let patchSize: Int
    let embedDim: Int
    let depth: Int
    let numHeads: Int
    let layerNormEps: Double?
  }

  var golden: Golden {
    get throws { try Golden(folder.appendingPathComponent("golden.safetensors")) }
  }

  var sizes: Sizes {
    get throws { try golden.configuration(Sizes.self) }
  }

  /// In the names of EVA's authors.
  var weights: Weights {
    get throws {
      let golden = try golden
      return Dictionary(
        uniqueKeysWithValues: try golden.names(under: "weights/").map { name in
          let stored = try golden.file.tensor(named: name)
          let tensor = WrittenTensor(
            shape: stored.shape, values: try stored.floats())
          return (String(name.dropFirst("weights/".count)), tensor)
        })
    }
  }

  /// In the names of Hugging Face, with the zero bias of the keys.
  func publicWeights(prefix: String) throws -> Weights {
    var result: Weights = [:]
    let weights = try weights
    for (name, tensor) in weights where !name.hasSuffix("_bias") {
      result[prefix + Self.publicName(of: name)] = tensor
    }
    for layer in 0..<(try sizes.depth) {
      let start = "blocks.\(layer).attn."
      let (queries, values) = (
        try weights[start + "q_bias"]!.values, try weights[start + "v_bias"]!.values
      )
      let zeros = [Float](repeating: 0, count: queries.count)
      result["\(prefix)encoder.layers.\(layer).self_attn.qkv.bias"] = .init(
        shape: [3 * queries.count], values: queries + zeros + values)
    }
    return result
  }

  private static func publicName(of name: String) -> String {
    let replacements = [
      ("cls_token", "embeddings.class_embedding"), ("pos_embed", "embeddings.position_embedding"),
      ("patch_embed.proj", "embeddings.patch_embedding"), ("blocks.", "encoder.layers."),
      (".norm", ".layer_norm"), (".attn.proj", ".self_attn.projection"), (".attn.", ".self_attn."),
    ]
    return replacements.reduce(name) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
  }

  /// The `vision_config` of a public folder.
  var publicConfiguration: [String: Any] {
    get throws {
      let sizes = try sizes
      return [
        "model_type": "blip_2_vision_model", "hidden_act": "gelu", "qkv_bias": true,
        "hidden_size": sizes.embedDim, "num_hidden_layers": sizes.depth,
        "num_attention_heads": sizes.numHeads, "patch_size": sizes.patchSize,
        "image_size": sizes.imgSize, "layer_norm_eps": sizes.layerNormEps ?? 1e-6,
        "intermediate_size": try weights["blocks.0.mlp.fc1.bias"]!.shape[0],
      ]
    }
  }

  /// An encoder's weights in the names of EVA's authors.
  static func authorsWeights(of encoder: EVAViT) -> Weights {
    let replacements = [
      ("classToken", "cls_token"), ("positions", "pos_embed"),
      ("patchEmbedding", "patch_embed.proj"), (".qkv.weight", ".attn.qkv.weight"),
      (".output.", ".attn.proj."), (".inner.", ".mlp.fc1."), (".outer.", ".mlp.fc2."),
    ]
    var result: Weights = [:]
    for entry in encoder.namedParameters {
      let values = entry.parameter.value.values
      if entry.name.hasSuffix(".qkv.bias") {
        let start = entry.name.dropLast("qkv.bias".count) + "attn."
        let third = values.count / 3
        result[start + "q_bias"] = .init(shape: [third], values: Array(values.prefix(third)))
        result[start + "v_bias"] = .init(shape: [third], values: Array(values.suffix(third)))
        continue
      }
      let name = replacements.reduce(entry.name) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
      result[name] = .init(
        shape: encoder.publicFormat.publicShape(of: entry.name, entry.parameter.shape),
        values: values)
    }
    return result
  }
}
