import Autograd
import LanguageModels
import Layers
import Tensors
import TestSupport
import Testing

@testable import BLIP2
@testable import Objectives

/// A Q-Former whose layers are computed again in the backward pass gives the same to the bit.
@Suite struct RecomputedLayersTests {
  /// The total loss, and the gradients of parameters and features.
  private func stageOne(
    _ precision: ProductPrecision, chunkSize: Int?, recomputing: Bool
  ) -> [[Float]] {
    var model = TinyStageOne.model()
    model.recomputesActivations = recomputing
    model.multiply(in: precision)
    let batch = TinyStageOne.batch(0..<6, imageIds: [3, 5, 3, 6, 5, 3])
    let gradients = Gradients()
    let losses = model.addGradients(
      of: batch, inChunksOf: chunkSize, negatives: .drawn(Philox(seed: 8)),
      in: GradientStep(
        randomness: TrainingRandomness(rate: 0.3, seed: 2, step: 3),
        communicator: SingleProcess(), to: gradients))
    let values = [losses.contrast, losses.matching, losses.generation].map { $0 ?? -1 }
    return [values] + model.namedParameters.map { $0.parameter.gradient(in: gradients)!.values }
      + [gradients[batch.features]!.values]
  }

  /// Image keys and values serve both passes, and their gradients add up; dropout acts.
  @Test(arguments: [ProductPrecision.float32, .bfloat16], [nil, 4])
  func stageOneIsTheSame(_ precision: ProductPrecision, _ chunkSize: Int?) {
    let plain = stageOne(precision, chunkSize: chunkSize, recomputing: false)
    #expect(stageOne(precision, chunkSize: chunkSize, recomputing: true) == plain)
  }

  /// Two queries read an image without its keys and values, four with them.
  @Test(arguments: [ProductPrecision.float32, .bfloat16], [2, 4])
  func stageTwoIsTheSame(_ precision: ProductPrecision, _ queries: Int) {
    func run(_ recomputing: Bool) -> [[Float]] {
      var configuration = StageTwoConfiguration()
      configuration.qFormer = TinyStageOne.configuration().qFormer
      configuration.qFormer.queries = queries
      var model = StageTwoModel(configuration, visionWidth: 6, embeddingWidth: 16, seed: 3)
      model.recomputesActivations = recomputing
      model.multiply(in: precision)
      let prompts = model.softPrompts(
        Variable(TinyStageOne.features(pairs: 3)), indices: [5, 6, 7],
        randomness: TrainingRandomness(rate: 0.3, seed: 2, step: 3))
      let gradients = Gradients()
      gradients.addBackward(
        from: prompts.rows, gradient: randomTensor(prompts.rows.shape, seed: 9))
      return [prompts.rows.value.values]
        + model.namedParameters.map { $0.parameter.gradient(in: gradients)!.values }
    }
    #expect(run(true) == run(false))
  }

  /// Where nothing is trained, nothing is recorded, recomputed or not.
  @Test func frozenModelsRecordNothing() {
    var model = TinyStageOne.model()
    model.recomputesActivations = true
    model.freeze()
    let features = Variable(TinyStageOne.features(pairs: 6))
    let total = model.losses(
      StageOneBatch(features: features, texts: TinyStageOne.texts),
      negatives: .given(TinyStageOne.nextPairs(6))
    ).total
    #expect(!total.needsGradient)
  }
}
