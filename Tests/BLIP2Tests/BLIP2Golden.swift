import Autograd
import Foundation
import LanguageModels
import Layers
import PublicFormats
import Tensors
import TestSupport
import Testing
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

  private func sizes() throws -> PublicBLIP2Configuration {
    try ModelConfigurationFile(folder.appendingPathComponent("config.json"))
      .decoded(PublicBLIP2Configuration.self)
  }

  private func visionNormEpsilon() throws -> Float {
    struct Whole: Decodable {
      let vision: EVAViTConfiguration
      enum CodingKeys: String, CodingKey { case vision = "vision_config" }
    }
    return try ModelConfigurationFile(folder.appendingPathComponent("config.json"))
      .decoded(Whole.self).vision.layerNormEpsilon
  }

  /// The token that the library writes in place of each query.
  func imageToken() throws -> Int32 { Int32(try #require(sizes().imageToken)) }

  func encoder() throws -> any VisionEncoder { try VisionEncoderFamily.encoder(at: folder) }
  func languageModel() throws -> any LanguageModel { try LanguageModelFamily.model(at: folder) }

  /// The trained part with the folder's weights.
  func model(embeddingWidth: Int, visionWidth: Int) throws -> StageTwoModel {
    var configuration = StageTwoConfiguration()
    configuration.qFormer = try sizes().queryTransformer(visionNormEpsilon: visionNormEpsilon())
    let model = StageTwoModel(
      configuration, visionWidth: visionWidth, embeddingWidth: embeddingWidth, seed: 0)
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
