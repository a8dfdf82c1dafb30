import Autograd
import LanguageModels
import Layers
import Tensors
import TestSupport
import Testing

@testable import BLIP2

/// What stage 2 trains and what it leaves alone.
@Suite struct StageTwoModelTests {
  /// The numbers of Li et al. 2023, Table 1, with ViT-g: 107.1 M with OPT-2.7B, 106.7 M with Flan-T5-XL.
  @Test(arguments: [(2560, 107.1), (2048, 106.7)])
  func parameterCount(_ width: Int, _ millions: Double) {
    let model = StageTwoModel(
      StageTwoConfiguration(), visionWidth: 1408, embeddingWidth: width, seed: 0)
    let count = model.namedParameters.reduce(0) { $0 + $1.parameter.shape.reduce(1, *) }
    #expect((Double(count) / 1e5).rounded() / 10 == millions)
  }

  @Test func theTextHalfIsNotTrained() {
    let names = model().namedParameters.map(\.name)
    #expect(names.contains("qFormer.layers.0.queryFeedForward.inner.weight"))
    #expect(names.contains("qFormer.layers.0.crossAttention.key.weight"))
    #expect(!names.contains { $0.contains("text") || $0.contains("wordEmbeddings") })
    #expect(Set(names).count == names.count)
  }

  /// Padding, batch and order change nothing: a batch's loss is the mean over all its tokens.
  @Test(arguments: [true, false])
  func packedSequencesAreIndependent(_ hasEncoder: Bool) {
    let languageModel = tiny(hasEncoder: hasEncoder)
    let model = model()
    let features = Variable(randomTensor([3, 5, 12], seed: 5))
    let end: Int32 = 1
    let texts = [
      ConditionedText(prefix: hasEncoder ? [7, end] : [], target: [4, 5, 6, end]),
      ConditionedText(prefix: [8, 9], target: [3, end]),
      ConditionedText(prefix: hasEncoder ? [end] : [2], target: [11, 12, 13, 14, 15, end]),
    ]
    let whole = model.loss(features, texts: texts, languageModel: languageModel).value.scalar
    var (sum, count): (Float, Float) = (0, 0)
    for (index, text) in texts.enumerated() {
      let own = features.reshaped([3, 60]).rows(index..<index + 1).reshaped([1, 5, 12])
      let loss = model.loss(own, texts: [text], languageModel: languageModel).value.scalar
      sum += loss * Float(text.target.count)
      count += Float(text.target.count)
    }
    #expect(abs(whole - sum / count) < 1e-5)
  }

  /// Gradients reach all that is trained, through the language model, and nothing of it.
  @Test(arguments: [true, false])
  func gradientsPassThrough(_ hasEncoder: Bool) {
    let languageModel = tiny(hasEncoder: hasEncoder)
    let model = model()
    let before = languageModel.namedParameters.map { $0.parameter.value.values }
    let loss = model.loss(
      Variable(randomTensor([2, 5, 12], seed: 5)),
      texts: [
        ConditionedText(prefix: hasEncoder ? [1] : [], target: [4, 5, 1]),
        ConditionedText(prefix: [8, 9], target: [3, 1]),
      ], languageModel: languageModel)
    let gradients = Gradients()
    gradients.addBackward(from: loss)
    for entry in model.namedParameters {
      #expect(entry.parameter.gradient(in: gradients) != nil, "\(entry.name)")
    }
    for entry in languageModel.namedParameters {
      #expect(entry.parameter.gradient(in: gradients) == nil, "\(entry.name)")
    }
    #expect(languageModel.namedParameters.map { $0.parameter.value.values } == before)
  }

  /// Where one set of queries reads an image, its keys and values are not computed; outputs and all
  /// gradients are those of computed ones, with the same dropout.
  @Test func imagesAreReadWithoutKeysAndValues() throws {
    let model = model()
    let features = Variable(randomTensor([2, 5, 12], seed: 5))

    func pass(readings: Int) throws -> [Tensor] {
      var pack = PackedSequences(queryCount: model.queryCount)
      for image in 0..<2 { _ = pack.addQueries(image: image, index: image, purpose: .image) }
      pack.layOut(imageTokens: 5)
      let images = model.qFormer.imageMemory(features, norm: model.visionNorm, readings: readings)
      for case .some(let memory) in images {
        if case .rows = memory { #expect(readings == 1) } else { #expect(readings != 1) }
      }
      let output = model.qFormer(
        pack, images: images, randomness: TrainingRandomness(rate: 0.2, seed: 1, step: 3))
      let queries = try #require(output.queries)
      let gradients = Gradients()
      gradients.addBackward(from: queries, gradient: randomTensor(queries.shape, seed: 6))
      return [queries.value]
        + model.namedParameters.filter { !$0.name.hasPrefix("languageProjection") }.compactMap {
          $0.parameter.gradient(in: gradients)
        }
    }

    let (absorbed, computed) = (try pass(readings: 1), try pass(readings: 4))
    #expect(absorbed.count == model.namedParameters.count - 1)
    for (index, pair) in zip(absorbed, computed).enumerated() {
      #expect(
        difference(pair.0, pair.1, relative: 1e-4, absolute: 1e-6) == nil, "result \(index)")
    }
  }

  func model() -> StageTwoModel {
    var configuration = StageTwoConfiguration()
    configuration.qFormer.width = 16
    configuration.qFormer.layers = 2
    configuration.qFormer.heads = 2
    configuration.qFormer.feedForwardWidth = 24
    configuration.qFormer.queries = 3
    return StageTwoModel(configuration, visionWidth: 12, embeddingWidth: 16, seed: 3)
  }

  func tiny(hasEncoder: Bool) -> any LanguageModel {
    let initialiser = ParameterInitialiser(seed: 9)
    let model: any LanguageModel
    if hasEncoder {
      var sizes = T5Configuration.gated
      sizes.width = 16
      sizes.headWidth = 8
      sizes.heads = 2
      sizes.feedForwardWidth = 24
      sizes.encoderLayers = 2
      sizes.decoderLayers = 2
      sizes.vocabularySize = 20
      model = T5(sizes, hasOutputTable: true, initialiser)
    } else {
      var sizes = OPTConfiguration()
      sizes.width = 16
      sizes.embeddingWidth = 16
      sizes.heads = 2
      sizes.layers = 2
      sizes.feedForwardWidth = 24
      sizes.vocabularySize = 20
      sizes.maximumPositions = 40
      model = OPT(sizes, initialiser)
    }
    model.freeze()
    return model
  }
}
