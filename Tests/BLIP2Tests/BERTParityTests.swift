import Autograd
import Foundation
import Layers
import Tensors
import TestSupport
import Testing
import WeightFiles

@testable import BLIP2

/// The Q-Former's text half against BERT itself, once BERT's token type 0, which the Q-Former has
/// not, is folded into the positions.
@Suite struct BERTParityTests {
  /// The outputs at the real tokens of every text.
  private func states(_ model: StageOneModel, _ texts: [[Int32]]) -> Variable {
    var pack = PackedSequences(queryCount: model.queryCount)
    for (index, text) in texts.enumerated() {
      pack.addText(text, view: .itself, index: index, purpose: .text)
    }
    pack.layOut(imageTokens: 0)
    return model.qFormer(pack, images: nil).texts!
  }

  private func modelWithTokenType() throws -> StageOneModel {
    let model = try BERTGolden.model()
    _ = try model.initialise(fromBERT: WeightFolder(BERTGolden.folder))
    let type = try BERTGolden.stored("bert.embeddings.token_type_embeddings.weight").rows(0..<1)
    model.qFormer.positionEmbeddings.update { positions in
      for index in 0..<model.qFormer.positionEmbeddings.shape.reduce(1, *) {
        positions[index] += type.values[index % type.width]
      }
    }
    return model
  }

  @Test func hiddenStatesAndLogits() throws {
    let golden = try BERTGolden()
    let texts = try golden.texts
    let model = try modelWithTokenType()
    let states = states(model, texts)
    let last = try BERTGolden.sizes().numHiddenLayers
    let hidden = try golden.unpadded("outputs/hidden_states/\(last)")
    #expect(difference(states.value, hidden, relative: 1e-4) == nil)
    let logits = model.wordLogits(states).value
    // `[DEC]`, the last word, is ours alone.
    let words = logits.width - 1
    let without = Tensor(
      (0..<logits.rowCount).flatMap { logits.rows($0..<$0 + 1).values.prefix(words) },
      shape: [logits.rowCount, words])
    #expect(difference(without, try golden.unpadded("outputs/mlm_logits"), relative: 1e-4) == nil)
  }

  /// The embeddings alone: the norm of word plus position.
  @Test func embeddings() throws {
    let golden = try BERTGolden()
    let texts = try golden.texts
    let model = try modelWithTokenType()
    let qFormer = model.qFormer
    let tokens = texts.flatMap { $0 }
    let positions = texts.flatMap { (0..<$0.count).map { Int32($0) } }
    let x = qFormer.embeddingNorm(
      qFormer.wordEmbeddings.variable.gatheredRows(tokens)
        + qFormer.positionEmbeddings.variable.gatheredRows(positions))
    let expected = try golden.unpadded("outputs/hidden_states/0")
    #expect(difference(x.value, expected, relative: 1e-5) == nil)
  }

  @Test func maskedLanguageLoss() throws {
    let golden = try BERTGolden()
    let model = try modelWithTokenType()
    // Labels −100 are left out; the logit of `[DEC]`, which BERT has not, is put out of reach.
    let labels = try golden.unpaddedIntegers("inputs/labels")
    let rows = labels.indices.filter { labels[$0] != -100 }
    #expect(!rows.isEmpty && rows.count < labels.count)
    let decoder = try BERTGolden.sizes().vocabSize
    model.languageHead.bias.update { $0[decoder] = -1e4 }
    let logits = model.wordLogits(
      states(model, try golden.texts).gatheredRows(rows.map { Int32($0) }))
    let loss = logits.crossEntropy(classes: rows.map { labels[$0] })
    let expected = try golden.file.tensor("outputs/loss")
    #expect(difference(loss.value, expected, relative: 1e-5, absolute: 0) == nil)
  }
}

/// The golden of a BERT, and models of its sizes.
struct BERTGolden {
  static let folder = Goldens.folder.appendingPathComponent("bert")

  let file: Golden
  private let mask: [Int]

  init() throws {
    file = try Golden(BERTGolden.folder.appendingPathComponent("golden.safetensors"))
    mask = try file.integers("inputs/attention_mask")
  }

  static func sizes() throws -> BERTSizes { try BERTSizes(folder) }

  /// A model of the file's sizes, with a word more for `[DEC]`.
  static func model(
    _ change: (inout StageOneConfiguration) -> Void = { _ in }
  ) throws -> StageOneModel {
    let sizes = try sizes()
    var configuration = StageOneConfiguration()
    configuration.qFormer.width = sizes.hiddenSize
    configuration.qFormer.layers = sizes.numHiddenLayers
    configuration.qFormer.heads = sizes.numAttentionHeads
    configuration.qFormer.feedForwardWidth = sizes.intermediateSize
    configuration.qFormer.maximumPositions = sizes.maxPositionEmbeddings
    configuration.qFormer.vocabularySize = sizes.vocabSize + 1
    configuration.qFormer.layerNormEpsilon = sizes.layerNormEps
    configuration.qFormer.queries = 5
    change(&configuration)
    return StageOneModel(configuration, visionWidth: 16, seed: 11)
  }

  static func stored(_ name: String) throws -> Tensor {
    try SafetensorsFile(folder.appendingPathComponent("model.safetensors"))
      .tensor(named: name).tensor()
  }

  /// The texts without their padding, which lies at their ends.
  var texts: [[Int32]] {
    get throws {
      let rows = try file.rows("inputs/token_ids")
      let width = rows[0].count
      return rows.enumerated().map { index, row in
        row.indices.filter { mask[index * width + $0] == 1 }.map { row[$0] }
      }
    }
  }

  /// The real tokens' rows of an output `[texts, length, width]`.
  func unpadded(_ name: String) throws -> Tensor {
    let tensor = try file.tensor(name)
    let real = mask.indices.filter { mask[$0] == 1 }
    return Tensor(
      real.flatMap { tensor.rows($0..<$0 + 1).values }, shape: [real.count, tensor.width])
  }

  func unpaddedIntegers(_ name: String) throws -> [Int32] {
    let values = try file.integers(name)
    return mask.indices.filter { mask[$0] == 1 }.map { Int32(values[$0]) }
  }
}
