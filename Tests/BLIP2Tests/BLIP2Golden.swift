import Autograd
import Foundation
import LanguageModels
import Layers
import PublicFormats
import Tensors
import TestSupport
import VisionEncoders
import WeightFiles

@testable import BLIP2

/// A whole BLIP-2 in the folder format of transformers, with what the library makes of it.
struct BLIP2Golden: CustomStringConvertible {
  let folder: URL
  var description: String { folder.lastPathComponent }

  static let all = Goldens.folders(beginning: "blip2-", with: "golden.safetensors")
    .filter { folder in
      let golden = try? Golden(folder.appendingPathComponent("golden.safetensors"))
      return golden?.names(under: "inputs/prompt_token_ids").isEmpty == false
    }.map { BLIP2Golden(folder: $0) }

  func golden() throws -> Golden { try Golden(folder.appendingPathComponent("golden.safetensors")) }

  /// The parts of the configuration that the sizes come from.
  private struct Sizes: Decodable {
    struct QFormer: Decodable {
      let hiddenSize: Int
      let numHiddenLayers: Int
      let numAttentionHeads: Int
      let intermediateSize: Int
      let crossAttentionFrequency: Int
      let layerNormEps: Float
    }
    struct Vision: Decodable { let layerNormEps: Float }
    let qformerConfig: QFormer
    let visionConfig: Vision
    let numQueryTokens: Int
    let imageTokenIndex: Int32
  }

  private func sizes() throws -> Sizes {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(
      Sizes.self, from: try Data(contentsOf: folder.appendingPathComponent("config.json")))
  }

  /// The token that the library writes in place of each query.
  func imageToken() throws -> Int32 { try sizes().imageTokenIndex }

  func encoder() throws -> any VisionEncoder { try VisionEncoderFamily.encoder(at: folder) }
  func languageModel() throws -> any LanguageModel { try LanguageModelFamily.model(at: folder) }

  /// The trained part with the folder's weights.
  func model(embeddingWidth: Int, visionWidth: Int) throws -> StageTwoModel {
    let sizes = try sizes()
    var configuration = StageTwoConfiguration()
    configuration.qFormer.width = sizes.qformerConfig.hiddenSize
    configuration.qFormer.layers = sizes.qformerConfig.numHiddenLayers
    configuration.qFormer.heads = sizes.qformerConfig.numAttentionHeads
    configuration.qFormer.feedForwardWidth = sizes.qformerConfig.intermediateSize
    configuration.qFormer.crossAttentionFrequency = sizes.qformerConfig.crossAttentionFrequency
    configuration.qFormer.layerNormEpsilon = sizes.qformerConfig.layerNormEps
    configuration.qFormer.queries = sizes.numQueryTokens
    let model = StageTwoModel(
      configuration, visionWidth: visionWidth, embeddingWidth: embeddingWidth, seed: 0,
      visionNormEpsilon: sizes.visionConfig.layerNormEps)
    try PublicFormat.huggingFaceStageTwo.load(
      into: model.namedParameters, from: WeightFolder(folder))
    return model
  }

  /// Prompts without padding.
  func prompts() throws -> [[Int32]] {
    let golden = try golden()
    return zip(
      try golden.rows("inputs/prompt_token_ids"), try golden.rows("inputs/prompt_attention_mask")
    ).map { tokens, mask in zip(tokens, mask).filter { $1 == 1 }.map(\.0) }
  }
}
