import Autograd
import Layers
import Tensors
import TestSupport
import Testing

@testable import BLIP2

/// Dropout in training: a function of seed, step and the samples' places in the global batch.
@Suite struct TrainingDropoutTests {
  static let model = TinyStageOne.model()

  private func losses(
    _ range: Range<Int> = 0..<4, seed: UInt64 = 1, step: Int = 7, rate: Float = 0.3
  ) -> StageOneModel.Losses {
    Self.model.losses(
      TinyStageOne.batch(range), negatives: .given(TinyStageOne.nextPairs(range.count)),
      randomness: TrainingRandomness(rate: rate, seed: seed, step: step))
  }

  @Test func lossesDependOnSeedAndStepAlone() {
    let total = losses().total.value.scalar
    #expect(losses().total.value.scalar == total)
    #expect(losses(step: 8).total.value.scalar != total)
    #expect(losses(seed: 2).total.value.scalar != total)
    let evaluation = Self.model.losses(
      TinyStageOne.batch(), negatives: .given(TinyStageOne.nextPairs(4)))
    #expect(evaluation.total.value.scalar != total)
    #expect(losses(rate: 0).total.value.scalar == evaluation.total.value.scalar)
  }

  /// A batch cut in two draws for each pair what the whole batch drew for it.
  @Test func aSplitBatchDrawsTheSame() {
    let whole = losses(0..<4)
    let queries = Self.model.queryCount
    for range in [0..<2, 2..<4, 3..<4] {
      let part = losses(range)
      let rows = range.lowerBound * queries..<range.upperBound * queries
      #expect(
        difference(part.queryOutput.value, whole.queryOutput.value.rows(rows), relative: 1e-5)
          == nil)
      #expect(
        difference(part.classOutput.value, whole.classOutput.value.rows(range), relative: 1e-5)
          == nil)
    }
  }

  /// Without the offset the draws would be others: the test above would fail.
  @Test func theOffsetMatters() {
    let right = TinyStageOne.batch(2..<4)
    let wrong = StageOneBatch(features: right.features, texts: right.texts, indices: [0, 1])
    let outputs = [right, wrong].map {
      Self.model.losses(
        $0, negatives: .given(TinyStageOne.nextPairs(2)),
        randomness: TrainingRandomness(rate: 0.3, seed: 1, step: 7)
      ).queryOutput.value
    }
    #expect(difference(outputs[0], outputs[1], relative: 1e-2) != nil)
  }

  /// Own pairs' logits of the matching pass, whose packs hold other candidates in each split.
  @Test func matchingDrawsTheSameForOwnPairs() throws {
    let whole = try #require(losses(0..<4).matchingLogits).value
    let part = try #require(losses(2..<4).matchingLogits).value
    #expect(difference(part.rows(0..<2), whole.rows(2..<4), relative: 1e-5) == nil)
  }

  /// A frozen model in training mode still drops, and records nothing.
  @Test func frozenModelsRecordNothing() {
    let model = TinyStageOne.model()
    model.freeze()
    let batch = TinyStageOne.batch()
    let constant = StageOneBatch(features: batch.features.detached, texts: batch.texts)
    let randomness = TrainingRandomness(rate: 0.3, seed: 1, step: 7)
    let total = model.losses(
      constant, negatives: .given(TinyStageOne.nextPairs(4)), randomness: randomness
    ).total
    #expect(!total.needsGradient)
    #expect(total.value.scalar == losses().total.value.scalar)
  }
}
