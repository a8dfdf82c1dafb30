import Autograd
import Layers
import Tensors
import TestSupport
import Testing

@testable import BLIP2

/// Packed passes against dense masks over [queries; text], one sample at a time.
@Suite struct PackingTests {
  static let model = TinyStageOne.model()
  static let samples = 4
  static var queries: Int { model.queryCount }

  enum Mask: CaseIterable {
    case unimodal, causal, bidirectional

    /// Whether a row sees another, the queries being rows 0 ….
    func sees(_ row: Int, _ other: Int, queries: Int) -> Bool {
      switch self {
      case .unimodal: (row < queries) == (other < queries)
      case .causal: other < queries || (row >= queries && other <= row)
      case .bidirectional: true
      }
    }

    func view(of sequence: Int) -> PackedSequences.TextView {
      switch self {
      case .unimodal: .itself
      case .causal: .queriesAndEarlierText(queries: sequence)
      case .bidirectional: .queriesBothWays(queries: sequence)
      }
    }
  }

  /// Runs samples in one pack; the outputs of each, queries first.
  private func packed(_ samples: [Int], _ mask: Mask) -> [Tensor] {
    let (model, width) = (Self.model, Self.model.configuration.qFormer.width)
    var pack = PackedSequences(queryCount: Self.queries)
    let sequences = samples.indices.map {
      pack.addQueries(image: $0, index: samples[$0], purpose: .match)
    }
    let texts = samples.indices.map {
      pack.addText(
        TinyStageOne.texts[samples[$0]], view: mask.view(of: sequences[$0]), index: samples[$0],
        purpose: .match)
    }
    pack.layOut(imageTokens: TinyStageOne.imageTokens)
    let features = Variable.concatenatedRows(samples.map { Variable(Self.features(of: $0)) })
    let output = model.qFormer(
      pack,
      images: model.qFormer.imageMemory(features, norm: model.visionNorm, readings: 4))
    return samples.indices.map { index in
      let rows = index * Self.queries..<(index + 1) * Self.queries
      let parts = [output.queries!.value.rows(rows), output.texts!.value.rows(texts[index])]
      return Tensor(parts.flatMap(\.values), shape: [Self.queries + texts[index].count, width])
    }
  }

  private static func features(of sample: Int) -> Tensor {
    let tokens = TinyStageOne.imageTokens
    return TinyStageOne.features(pairs: 6).rows(sample * tokens..<(sample + 1) * tokens)
  }

  private func dense(_ sample: Int, _ mask: Mask) -> Tensor {
    let features = Self.model.visionNorm(Variable(Self.features(of: sample))).value
    let rows = DenseQFormer(Self.model.qFormer)(
      text: TinyStageOne.texts[sample],
      features: (0..<features.rowCount).map { features.rows($0..<$0 + 1).values.map(Double.init) },
      queries: Self.queries
    ) { mask.sees($0, $1, queries: Self.queries) }
    return Tensor(rows.joined().map { Float($0) }, shape: [rows.count, rows[0].count])
  }

  @Test(arguments: Mask.allCases)
  func packEqualsDenseMask(_ mask: Mask) {
    let outputs = packed(Array(0..<Self.samples), mask)
    for sample in 0..<Self.samples {
      let text = difference(outputs[sample], dense(sample, mask), relative: 1e-5)
      #expect(text == nil, "sample \(sample)")
    }
  }

  /// The three masks differ: the test above would see one taken for another.
  @Test func theMasksDiffer() {
    let outputs = Mask.allCases.map { dense(0, $0) }
    for (first, second) in [(0, 1), (0, 2), (1, 2)] {
      #expect(difference(outputs[first], outputs[second], relative: 1e-2) != nil)
    }
  }

  @Test(arguments: Mask.allCases)
  func othersInThePackChangeNothing(_ mask: Mask) {
    let together = packed([2, 0, 3, 1], mask)
    for (place, sample) in [2, 0, 3, 1].enumerated() {
      let alone = packed([sample], mask)[0]
      #expect(difference(together[place], alone, relative: 1e-5) == nil, "sample \(sample)")
    }
  }

  /// Text that reads the queries' keys and values of an earlier pass gets what the joint pass gives.
  @Test func separateMemoryEqualsTheJointPass() {
    let model = Self.model
    let joint = packed([3, 0, 2], .causal)
    var queryPack = PackedSequences(queryCount: Self.queries)
    for index in 0..<3 { _ = queryPack.addQueries(image: index, index: index, purpose: .image) }
    queryPack.layOut(imageTokens: TinyStageOne.imageTokens)
    let features = Variable.concatenatedRows([3, 0, 2].map { Variable(Self.features(of: $0)) })
    let memory = model.qFormer(
      queryPack,
      images: model.qFormer.imageMemory(features, norm: model.visionNorm, readings: 4)
    ).memory
    var pack = PackedSequences(queryCount: Self.queries)
    let rows = [3, 0, 2].enumerated().map { sequence, sample in
      pack.addText(
        TinyStageOne.texts[sample], view: .queriesAndEarlierText(queries: sequence),
        index: sequence, purpose: .generation)
    }
    pack.layOut(imageTokens: 0, past: 3)
    let output = model.qFormer(pack, images: nil, past: memory)
    #expect(output.queries == nil)
    let logits = model.wordLogits(output.texts!).value
    for (index, joint) in joint.enumerated() {
      let expected = model.wordLogits(
        Variable(joint.rows(Self.queries..<joint.rowCount))
      ).value
      #expect(difference(logits.rows(rows[index]), expected, relative: 1e-5) == nil)
    }
  }

  /// The training step's own losses do not mix pairs either: the mean over single pairs is the batch's.
  @Test func generationLossIsTheMeanOverTokens() {
    let model = TinyStageOne.model {
      $0.objectives.contrast = false
      $0.objectives.matching = false
    }
    let whole = model.losses(TinyStageOne.batch(), negatives: .given(TinyStageOne.nextPairs(4)))
    var (sum, tokens) = (0.0, 0.0)
    for pair in 0..<4 {
      let one = model.losses(
        TinyStageOne.batch(pair..<pair + 1), negatives: .given(TinyStageOne.nextPairs(1)))
      let count = Double(TinyStageOne.texts[pair].count - 1)
      sum += Double(one.total.value.scalar) * count
      tokens += count
    }
    #expect(
      difference(whole.total.value, Tensor(Float(sum / tokens)), relative: 1e-5, absolute: 0)
        == nil)
  }
}
