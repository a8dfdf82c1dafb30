import Autograd
import BLIP2
import Datasets
import Foundation
import LanguageModels
import Metrics
import Training

/// What the trained part and its language model say of images.
extension StageTwoRecipe {
  /// Texts of images, however they are asked for.
  /// - Parameters:
  ///   - features: `[images, tokens, vision width]`.
  ///   - beginnings: What stands after each image's soft prompt, as tokens, `[images][tokens]`.
  ///   - generator: How the search goes.
  /// - Returns: The texts of each image, the best first.
  func generated(
    from features: Variable, beginnings: [[Int32]], _ generator: TextGenerator, firstPrompt: Int = 0
  ) throws -> [[String]] {
    try withoutGradients {
      let prompts = qFormer.softPrompts(features)
      let session = languageModel.model.decodingSession(
        after: languageModel.model.input(prompts, prefixes: beginnings))
      return try generator.sequences(
        session, priorTokens: priorTokens(beginnings), firstPrompt: firstPrompt
      ).map { $0.map { texts.text($0.tokens) } }
    }
  }

  /// What the repetition penalty counts besides new tokens, as transformers does: a prompt's tokens, or
  /// the first token of a decoder of its own.
  private func priorTokens(_ beginnings: [[Int32]]) -> [[Int32]] {
    languageModel.model.decoderStart.map { start in beginnings.map { _ in [start] } } ?? beginnings
  }

  /// Captions of features `[images, tokens, width]`, as the configuration asks for them.
  func captions(_ features: Variable) throws -> [String] {
    let beginnings = Array(repeating: texts.beginning(nil), count: features.shape[0])
    var generator = try TextGenerator(
      configuration.validation.generation.options(ends: texts.ends))
    generator.shouldStop = { StopRequest.signal != nil }
    do {
      return try generated(from: features, beginnings: beginnings, generator).map {
        $0.first ?? ""
      }
    } catch GenerationError.unusableLogits {
      // Numbers that went astray are no reason to end the run; the report counts what stayed empty.
      return beginnings.map { _ in "" }
    }
  }

  /// Captions held-out images and scores them against all their captions.
  /// - Parameter limit: Images at most, the first of the set; 0 scores none.
  /// - Returns: No scores where there was nothing to score.
  /// - Throws: ``Interrupted``, and the errors of the files that are read.
  func judgedCaptions(
    of dataset: any CaptionSource, atMost limit: Int
  ) throws -> (count: Int, empty: Int, scores: CaptionScores?) {
    var references: [[String]] = []
    var candidates: [String] = []
    if limit > 0 {
      let loader = try data.evaluationLoader(
        dataset, tower: tower, batchSize: configuration.validation.batchSize)
      while candidates.count < limit, let batch = try loader.next() {
        try StopRequest.check()
        if batch.samples.isEmpty { continue }
        let texts = try captions(tower.features(batch))
        try StopRequest.check()
        for (sample, text) in zip(batch.samples, texts) where candidates.count < limit {
          references.append(try dataset.record(at: sample.image).captions)
          candidates.append(text)
        }
      }
      loader.stop()
    }
    let scores =
      candidates.isEmpty ? nil : CaptionScores(references: references, candidates: candidates)
    return (candidates.count, candidates.count(where: \.isEmpty), scores)
  }
}

extension CaptionScores {
  /// What a validation logs of them.
  var logged: NamedValues { [("bleu4", bleu[3]), ("rougeL", rougeL), ("cider", cider)] }

  /// For people, in percent as papers have them.
  var line: String {
    [("BLEU-4", bleu[3]), ("ROUGE-L", rougeL), ("CIDEr", cider)]
      .map { "\($0) \(ScoreTable.percent($1))" }.joined(separator: "  ")
  }
}
