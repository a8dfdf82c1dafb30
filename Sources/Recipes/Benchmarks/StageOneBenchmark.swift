import Autograd
import BLIP2
import Foundation
import Layers
import Objectives
import Tensors
import Training

/// Times whole stage-1 steps, forward, backward and AdamW, on random features and captions of the
/// real sizes: features `[batch, tokens, 1408]`, a BERT-base Q-Former, captions of about 12 tokens.
public struct StageOneBenchmark {
  public var batch = 16
  /// Pairs that go through the Q-Former at once; nil for all.
  public var chunk: Int?
  /// Whether the inside of layers is computed again in the backward pass.
  public var recomputes = false
  public var steps = 5
  /// The feature vectors of an image.
  public var imageTokens = 257
  /// The longest caption, and the mean of all, in tokens.
  public var maximumTextLength = 32
  public var meanTextLength = 12.0
  /// MiniLM's sizes: 6 layers, width 384, features of width 384.
  public var isSmall = false
  /// The precision of the linear maps' products.
  public var precision = ProductPrecision.float32

  public init() {}

  /// - Parameter report: Is told of each step.
  public func run(report: (String) -> Void) -> BenchmarkResult {
    let model = makeModel()
    model.multiply(in: precision)
    let training = TrainingConfiguration()
    let optimizer = AdamW(training.adamW, parameters: model.namedParameters)
    let generator = Philox(seed: 1)
    let features = Variable(
      .normal(
        [batch, imageTokens, model.qFormer.visionWidth], standardDeviation: 1,
        generator: generator, site: 1))
    let texts = captions(generator)
    return BenchmarkResult(steps: steps, count: batch, unit: "samples", report: report) { step in
      let outcome = optimizer.take(step, of: training) { _, weight, gradients in
        StageOneRecipe.terms(
          model.addGradients(
            of: StageOneBatch(features: features, texts: texts), inChunksOf: chunk,
            negatives: .drawn(Philox(seed: 2, stream: UInt64(step))),
            in: GradientStep(
              randomness: TrainingRandomness(
                rate: model.configuration.qFormer.dropout, seed: 3, step: step),
              communicator: SingleProcess(), weight: weight, to: gradients)))
      }
      let values = outcome.terms.map(\.value)
      return String(format: "itc %.3f itm %.3f itg %.3f", values[0], values[1], values[2])
    }
  }

  private func makeModel() -> StageOneModel {
    var configuration = StageOneConfiguration()
    if isSmall {
      configuration.qFormer.width = 384
      configuration.qFormer.layers = 6
      configuration.qFormer.feedForwardWidth = 1536
    }
    var model = StageOneModel(configuration, visionWidth: isSmall ? 384 : 1408, seed: 0)
    model.recomputesActivations = recomputes
    return model
  }

  /// `[CLS]`, words and `[SEP]`.
  private func captions(_ generator: Philox) -> [[Int32]] {
    BenchmarkTexts.lengths(
      batch, mean: meanTextLength, most: maximumTextLength, generator
    ).enumerated().map { index, length in
      [101] + BenchmarkTexts.words(length - 2, index, generator) + [102]
    }
  }
}
