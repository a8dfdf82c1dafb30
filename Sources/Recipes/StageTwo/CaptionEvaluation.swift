import Autograd
import Datasets
import Foundation
import LanguageModels
import Metrics
import Training

/// Captions held-out images and scores them against all their captions.
struct CaptionEvaluation {
  let recipe: StageTwoRecipe

  struct Scores {
    let bleu4: Double
    let rougeL: Double
    let cider: Double

    init(references: [[String]], candidates: [String]) {
      let scores = CaptionScores(references: references, candidates: candidates)
      bleu4 = scores.bleu[3]
      rougeL = scores.rougeL
      cider = scores.cider
    }

    var values: [(name: String, value: Double)] {
      [("bleu4", bleu4), ("rougeL", rougeL), ("cider", cider)]
    }

    /// For people.
    var line: String {
      String(format: "BLEU-4 %.3f  ROUGE-L %.3f  CIDEr %.3f", bleu4, rougeL, cider)
    }
  }

  /// - Parameter limit: Images at most, the first of the set; 0 scores none.
  /// - Returns: Nil if the run was asked to stop; no scores where there was nothing to score.
  func run(
    on dataset: any CaptionSource, atMost limit: Int
  ) throws -> (count: Int, empty: Int, scores: Scores?)? {
    var references: [[String]] = []
    var candidates: [String] = []
    if limit > 0 {
      let loader = try recipe.data.evaluationLoader(
        dataset, tower: recipe.tower, batchSize: recipe.configuration.validation.batchSize)
      while candidates.count < limit, let batch = try loader.next() {
        if StopRequest.signal != nil { return nil }
        if batch.samples.isEmpty { continue }
        let texts = try captions(recipe.tower.features(batch))
        if StopRequest.signal != nil { return nil }
        for (sample, text) in zip(batch.samples, texts) where candidates.count < limit {
          references.append(try dataset.record(at: sample.image).captions)
          candidates.append(text)
        }
      }
      loader.stop()
    }
    let scores =
      candidates.isEmpty ? nil : Scores(references: references, candidates: candidates)
    return (candidates.count, candidates.count(where: \.isEmpty), scores)
  }

  /// Captions of features `[images, tokens, width]`, as the configuration asks for them.
  func captions(_ features: Variable) throws -> [String] {
    let options = recipe.configuration.validation.generation.options(ends: recipe.texts.ends)
    let beginnings = Array(repeating: recipe.texts.beginning(nil), count: features.shape[0])
    var generator = try TextGenerator(options)
    generator.shouldStop = { StopRequest.signal != nil }
    do {
      return try recipe.imageCaptioner(features, beginnings: beginnings, generator).map {
        $0.first ?? ""
      }
    } catch GenerationError.unusableLogits {
      // Numbers that went astray are no reason to end the run; the report counts what stayed empty.
      return beginnings.map { _ in "" }
    }
  }
}

extension StageTwoRecipe {
  var imageCaptioner: ImageCaptioner {
    ImageCaptioner(model: qFormer, languageModel: languageModel.model, texts: texts)
  }
}
