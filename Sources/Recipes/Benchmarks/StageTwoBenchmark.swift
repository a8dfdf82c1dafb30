import Autograd
import BLIP2
import Foundation
import LanguageModels
import Layers
import Tensors
import Training

/// Times stage-2 steps, or generation, on random numbers of the real sizes: features
/// `[batch, tokens, 1408]`, a BERT-base Q-Former with 32 queries, captions of about 12 tokens, and a
/// frozen language model of a public shape.
public struct StageTwoBenchmark {
  public var shape = BenchmarkLanguageModel.opt125m
  public var batch = 16
  /// Whether the inside of the Q-Former's layers is computed again in the backward pass.
  public var recomputes = false
  public var steps = 5
  /// The feature vectors of an image.
  public var imageTokens = 257
  /// The longest caption, and the mean of all, in tokens.
  public var maximumTextLength = 32
  public var meanTextLength = 12.0
  /// The precision of the linear maps' products.
  public var precision = ProductPrecision.float32

  public init() {}

  /// Times training steps: forward, backward and AdamW.
  /// - Parameter report: Is told of each step.
  public func train(report: (String) -> Void) -> BenchmarkResult {
    let (model, languageModel, features) = prepared()
    let training = TrainingConfiguration()
    let optimizer = AdamW(training.adamW, parameters: model.namedParameters)
    let texts = captions(hasEncoder: languageModel.hasEncoder)
    return BenchmarkResult(steps: steps, count: batch, unit: "samples", report: report) { step in
      let outcome = optimizer.take(step, of: training) { _, weight, gradients in
        let loss = model.loss(
          features, texts: texts, languageModel: languageModel,
          randomness: TrainingRandomness(
            rate: model.configuration.qFormer.dropout, seed: 3, step: step))
        gradients.addBackward(from: loss, weight: weight)
        return [("lm", Double(loss.value.scalar))]
      }
      return String(format: "lm %.3f", outcome.terms[0].value)
    }
  }

  /// Times greedy generation.
  /// - Parameter tokens: New tokens of each image.
  public func generate(tokens: Int, report: (String) -> Void) throws -> BenchmarkResult {
    let (model, languageModel, features) = prepared()
    var options = GenerationOptions(endIds: [])
    options.method = .greedy
    options.maximumNewTokens = tokens
    let generator = try TextGenerator(options)
    return try BenchmarkResult(
      steps: steps, count: batch * tokens, unit: "tokens", report: report
    ) { _ in
      try withoutGradients {
        let session = languageModel.decodingSession(after: model.softPrompts(features))
        let made = try generator.sequences(session).reduce(0) { $0 + ($1.first?.tokens.count ?? 0) }
        return "\(made) tokens"
      }
    }
  }

  private func prepared() -> (StageTwoModel, any LanguageModel, Variable) {
    let languageModel = shape.model(seed: 4, precision)
    var model = StageTwoModel(
      StageTwoConfiguration(), visionWidth: 1408, embeddingWidth: languageModel.embeddingWidth,
      seed: 0)
    model.multiply(in: precision)
    model.recomputesActivations = recomputes
    let features = Variable(
      .normal(
        [batch, imageTokens, 1408], standardDeviation: 1, generator: Philox(seed: 1), site: 1))
    return (model, languageModel, features)
  }

  /// A decoder predicts whole captions, an encoder-decoder the second half of each.
  private func captions(hasEncoder: Bool) -> [ConditionedText] {
    let generator = Philox(seed: 1)
    return BenchmarkTexts.lengths(
      batch, mean: meanTextLength, most: maximumTextLength, generator
    ).enumerated().map { index, length in
      let words = BenchmarkTexts.words(length, index, generator)
      let cut = hasEncoder ? length / 2 : 0
      return ConditionedText(
        prefix: Array(words.prefix(cut)), target: Array(words.dropFirst(cut)))
    }
  }
}

/// Language models of public shapes with random weights.
public enum BenchmarkLanguageModel: String, CaseIterable, Sendable {
  case opt125m = "opt-125m"
  case opt1B = "opt-1.3b"
  case opt3B = "opt-2.7b"
  case flanT5Base = "flan-t5-base"
  case smolLM2 = "smollm2-135m"

  /// - Parameter precision: In bfloat16, matrices are kept so, as a file would hold them.
  func model(seed: UInt64, _ precision: ProductPrecision) -> any LanguageModel {
    let initialiser = ParameterInitialiser(seed: seed)
    let model: any LanguageModel =
      switch self {
      case .opt125m: OPT(.opt125M, initialiser)
      case .opt1B: OPT(.opt1B, initialiser)
      case .opt3B: OPT(.opt3B, initialiser)
      case .flanT5Base: T5(.flanBase, hasOutputTable: true, initialiser)
      case .smolLM2: Llama(.smolLM2, initialiser)
      }
    model.freezeForBenchmark(in: precision)
    return model
  }
}
