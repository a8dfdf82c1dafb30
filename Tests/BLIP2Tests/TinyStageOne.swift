import Autograd
import Layers
import Tensors
import TestSupport

@testable import BLIP2
@testable import Objectives

/// A stage-1 model small enough to be run many times, with weights large enough to matter.
enum TinyStageOne {
  static let visionWidth = 6
  static let imageTokens = 5

  static func configuration() -> StageOneConfiguration {
    var configuration = StageOneConfiguration()
    configuration.qFormer.width = 12
    configuration.qFormer.layers = 3
    configuration.qFormer.heads = 3
    configuration.qFormer.feedForwardWidth = 20
    configuration.qFormer.queries = 4
    configuration.qFormer.maximumPositions = 16
    configuration.qFormer.vocabularySize = 30
    configuration.qFormer.initialDeviation = 0.3
    configuration.qFormer.layerNormEpsilon = 1e-6
    configuration.embeddingWidth = 7
    configuration.initialTemperature = 0.5
    return configuration
  }

  static func model(
    _ change: (inout StageOneConfiguration) -> Void = { _ in }
  ) -> StageOneModel {
    var configuration = configuration()
    change(&configuration)
    let model = StageOneModel(
      configuration, visionWidth: visionWidth,
      tokens: .init(separator: 2, decoder: 29), seed: 4)
    // Parameters take their first values when they are first read; threads may read them after this.
    for entry in model.namedParameters { _ = entry.parameter.value }
    return model
  }

  /// Texts of different lengths, the shortest just `[CLS] [SEP]`.
  static let texts: [[Int32]] = [
    [1, 5, 9, 23, 2], [1, 2], [1, 7, 8, 2], [1, 3, 3, 3, 3, 11, 12, 2], [1, 20, 2],
    [1, 28, 27, 4, 6, 2],
  ]

  static func features(pairs: Int) -> Tensor {
    randomTensor([pairs, imageTokens, visionWidth], seed: 21)
  }

  /// Some neighbouring pairs out of a global batch.
  static func batch(
    _ range: Range<Int> = 0..<4, of pairs: Int = 6, imageIds: [Int64]? = nil
  ) -> StageOneBatch {
    let rows = range.lowerBound * imageTokens..<range.upperBound * imageTokens
    let features = features(pairs: pairs).rows(rows)
      .reshaped([range.count, imageTokens, visionWidth])
    return StageOneBatch(
      features: .leaf(features), texts: Array(texts[range]),
      imageIds: imageIds.map { Array($0[range]) }, indices: Array(range))
  }

  /// Some pairs out of a global batch, as one of several processes has them.
  static func batch(_ places: [Int], features: Variable, imageIds: [Int64]) -> StageOneBatch {
    StageOneBatch(
      features: features, texts: places.map { texts[$0] }, imageIds: places.map { imageIds[$0] },
      indices: places)
  }

  /// Each pair's negatives: the pair after it.
  static func nextPairs(_ count: Int) -> HardNegatives {
    let next = (0..<count).map { Optional(($0 + 1) % count) }
    return HardNegatives(images: next, texts: next)
  }
}
