import Autograd
import BLIP2
import Configuration
import Foundation
import LanguageModels
import Training

/// How a caption is searched for.
public typealias CaptionOptions = Captioner.Options

/// Captions by stage 1's own language head (Li et al. 2023, §3.1, image-grounded generation).
extension LoadedRecipe where R == StageOneRecipe {
  /// Captions images one batch after another.
  /// - Parameters:
  ///   - paths: Image files.
  ///   - report: Is told of each image that is passed over.
  ///   - show: Gets each image's path and caption as soon as there is one, in order.
  /// - Returns: How many images were passed over.
  /// - Throws: `ConfigurationError` where the model was not trained to write or the caption has no
  ///   room, `RunError.noImages`, ``Interrupted``.
  public func caption(
    _ paths: [String], options: CaptionOptions, report: @escaping (String) -> Void,
    show: (_ path: String, _ caption: String) throws -> Void
  ) throws -> Int {
    try require(
      configuration.model.objectives.generation, "model.objectives.generation", found: "false",
      expected: "true",
      advice: "\(file.url.path) was trained without image-grounded generation, so its language "
        + "head knows nothing; train with it")
    let room = configuration.model.qFormer.maximumPositions
    try require(
      options.maximumLength <= room, "--max-tokens", found: options.maximumLength,
      expected: "at most model.qFormer.maximumPositions, \(room)")
    let captioner = Captioner(recipe.qFormer, options: options)
    return try recipe.eachBatch(of: paths, report: report) { places, features in
      let captions: [[Int32]]
      do {
        captions = try captioner.captions(features, firstImage: places[0])
      } catch GenerationError.unusableLogits {
        throw recipe.model.notFinite("the logits of the captions are")
      }
      for (place, tokens) in zip(places, captions) {
        try show(
          paths[place], recipe.tokenizer.tokenizer.decode(tokens, skippingSpecialTokens: true))
      }
    }
  }
}
