import Autograd
import Layers
import Tensors
import TestSupport
import Testing

@testable import BLIP2

/// Outputs that nobody reads may be left out: the others, and all gradients, are what they were.
@Suite struct ReadOutputsTests {
  typealias ReadTokens = PackedSequences.ReadTokens

  /// Which outputs of a sample's text, and whether those of its queries, are read.
  struct Case: CustomStringConvertible {
    let description: String
    let view: (_ queries: Int) -> PackedSequences.TextView
    let reading: [ReadTokens]
    let queriesAreRead: Bool
    /// With 2, the last layer has cross-attention as well.
    var layers = 2
  }

  static let cases = [
    Case(
      description: "matching", view: { .queriesBothWays(queries: $0) },
      reading: [.none, .none, .none], queriesAreRead: true),
    Case(
      description: "matching, cross-attention last", view: { .queriesBothWays(queries: $0) },
      reading: [.none, .none, .none], queriesAreRead: true, layers: 3),
    Case(
      description: "contrast", view: { _ in .itself }, reading: [.first, .first, .first],
      queriesAreRead: true),
    Case(
      description: "captions", view: { .queriesAndEarlierText(queries: $0) },
      reading: [.last, .last, .last], queriesAreRead: false, layers: 3),
    Case(
      description: "mixed", view: { .queriesAndEarlierText(queries: $0) },
      reading: [.all, .none, .first], queriesAreRead: true),
    Case(
      description: "one layer", view: { .queriesBothWays(queries: $0) },
      reading: [.last, .all, .none], queriesAreRead: true, layers: 1),
  ]

  @Test(arguments: cases, [true, false])
  func outputsAndGradients(_ read: Case, _ hasDropout: Bool) throws {
    let model = TinyStageOne.model { $0.qFormer.layers = read.layers }
    let (some, all) = (
      pass(model, read, leavesOut: true, hasDropout: hasDropout),
      pass(model, read, leavesOut: false, hasDropout: hasDropout)
    )
    #expect(difference(some.outputs, all.outputs, relative: 1e-5) == nil)
    for entry in model.qFormer.namedParameters {
      // Softmax does not see a key's bias: its gradient is 0 but for rounding.
      if entry.name.hasSuffix(".key.bias") { continue }
      let expected = entry.parameter.gradient(in: all.gradients) ?? .zeros(entry.parameter.shape)
      let found = entry.parameter.gradient(in: some.gradients) ?? .zeros(entry.parameter.shape)
      #expect(difference(found, expected, relative: 1e-5) == nil, "\(entry.name)")
    }
    #expect(
      difference(
        try #require(some.features), try #require(all.features), relative: 1e-5) == nil)
  }

  /// The outputs that are read, and the gradients of a weighted sum of them.
  private func pass(
    _ model: StageOneModel, _ read: Case, leavesOut: Bool, hasDropout: Bool
  ) -> (outputs: Tensor, gradients: Gradients, features: Tensor?) {
    var pack = PackedSequences(queryCount: model.queryCount)
    let samples = read.reading.indices
    for sample in samples {
      _ = pack.addQueries(
        image: sample, index: sample, purpose: .match,
        areRead: !leavesOut || read.queriesAreRead)
    }
    var wanted: [Int32] = []
    for sample in samples {
      let text = TinyStageOne.texts[sample]
      let rows = pack.addText(
        text, view: read.view(sample), index: sample, purpose: .match,
        reading: leavesOut ? read.reading[sample] : .all)
      let chosen: Range<Int> =
        switch read.reading[sample] {
        case _ where leavesOut: rows
        case .all: rows
        case .first: rows.prefix(1)
        case .last: rows.suffix(1)
        case .none: rows.prefix(0)
        }
      wanted += chosen.map(Int32.init)
    }
    pack.layOut(imageTokens: TinyStageOne.imageTokens)
    let features = Variable.leaf(TinyStageOne.features(pairs: samples.count))
    let output = model.qFormer(
      pack, images: model.qFormer.imageMemory(features, norm: model.visionNorm, readings: 4),
      randomness: hasDropout ? TrainingRandomness(rate: 0.2, seed: 6, step: 2) : nil)
    let queries = read.queriesAreRead ? output.queries.map { [$0] } ?? [] : []
    let texts = wanted.isEmpty ? [] : output.texts.map { [$0.gatheredRows(wanted)] } ?? []
    let outputs = Variable.concatenatedRows(queries + texts)
    let gradients = Gradients()
    gradients.addBackward(from: outputs, gradient: randomTensor(outputs.shape, seed: 8))
    return (outputs.value, gradients, gradients[features])
  }

  /// The keys and values of all rows are there even where no output is read.
  @Test func memoryWithoutOutputs() throws {
    let model = TinyStageOne.model()
    let memories = [true, false].map { areRead in
      var pack = PackedSequences(queryCount: model.queryCount)
      for image in 0..<2 {
        _ = pack.addQueries(image: image, index: image, purpose: .image, areRead: areRead)
      }
      pack.layOut(imageTokens: TinyStageOne.imageTokens)
      let features = Variable(TinyStageOne.features(pairs: 2))
      let output = model.qFormer(
        pack, images: model.qFormer.imageMemory(features, norm: model.visionNorm, readings: 4))
      #expect((output.queries == nil) != areRead && output.texts == nil)
      return output.memory
    }
    for (first, second) in zip(memories[0], memories[1]) {
      #expect(first.keys.value.values == second.keys.value.values)
      #expect(first.values.value.values == second.values.value.values)
    }
  }
}
