import Autograd
import Foundation
import Tensors
import TestSupport
import Testing

@testable import LanguageModels

/// OPT, T5 and Llama against transformers.
@Suite struct LanguageModelParityTests {
  @Test(arguments: ["opt", "opt-projected", "t5-gated-untied", "t5-relu-tied", "llama"])
  func goldensArePresent(_ name: String) {
    #expect(
      LanguageModelGolden.all.contains { $0.description == name },
      "no \(name)/golden.safetensors in \(Goldens.folder.path)")
    let older = Goldens.folder.appendingPathComponent("\(name)/config.v4.json")
    #expect(FileManager.default.fileExists(atPath: older.path))
  }

  @Test(arguments: LanguageModelGolden.all)
  func logitsAndLossOfTokens(_ golden: LanguageModelGolden) throws {
    try check(golden, at: golden.folder)
  }

  /// The same weights with a configuration in the wording of older releases.
  @Test(
    arguments: LanguageModelGolden.all.filter {
      FileManager.default.fileExists(
        atPath: $0.folder.appendingPathComponent("config.v4.json").path)
    })
  func olderConfiguration(_ golden: LanguageModelGolden) throws {
    let folder = try TemporaryFolder()
    for (name, target) in [
      ("config.json", "config.v4.json"), ("model.safetensors", "model.safetensors"),
    ] {
      try FileManager.default.createSymbolicLink(
        at: folder.url.appendingPathComponent(name),
        withDestinationURL: golden.folder.appendingPathComponent(target))
    }
    try check(golden, at: folder.url)
  }

  /// The same weights as a GGUF file, whose rotary pairs are neighbours.
  @Test(arguments: LanguageModelGolden.all.filter { $0.description.hasPrefix("llama") })
  func llamaFromGGUF(_ golden: LanguageModelGolden) throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("model.gguf")
    try LlamaGGUF.write(golden.folder, to: file)
    try check(golden, at: file)
  }

  private func check(_ golden: LanguageModelGolden, at folder: URL) throws {
    let model = try LanguageModelFamily.model(at: folder)
    let values = try golden.golden()
    let run = try GoldenTexts(values)
    let (logits, loss) = model.goldenPass(
      model.embeddings(ofTexts: run.rows.packed(try values.rows("inputs/token_ids"))),
      labels: run.labels, decoderTokens: run.decoderTokens)
    #expect(
      difference(
        run.compared(logits), try run.expected("outputs/logits", values), relative: 1e-4) == nil)
    #expect(difference(loss.value, try values.tensor("outputs/loss"), relative: 1e-5) == nil)
  }

  /// From embeddings on, with the gradient that passes through the frozen model.
  @Test(arguments: LanguageModelGolden.all)
  func embeddingsAndTheirGradient(_ golden: LanguageModelGolden) throws {
    let model = try golden.model()
    let values = try golden.golden()
    let run = try GoldenTexts(values)
    let all = try values.tensor("inputs/embeddings/inputs_embeds")
    let input = Variable.leaf(all.gatheredRows(run.rows.places))
    let (logits, loss) = model.goldenPass(
      PackedRows(input, lengths: run.rows.lengths), labels: run.labels,
      decoderTokens: run.decoderTokens)
    #expect(
      difference(
        run.compared(logits), try run.expected("outputs/embeddings/logits", values), relative: 1e-4)
        == nil)
    #expect(
      difference(loss.value, try values.tensor("outputs/embeddings/loss"), relative: 1e-5) == nil)
    let gradients = Gradients()
    gradients.addBackward(from: loss)
    let gradient = try #require(gradients[input])
    let expected = try values.tensor("gradients/embeddings/inputs_embeds")
    #expect(
      difference(gradient, expected.gatheredRows(run.rows.places), relative: 1e-4) == nil)
  }

  /// The loss that training takes is that of the same texts as a whole.
  @Test(arguments: LanguageModelGolden.all)
  func lossOfTargets(_ golden: LanguageModelGolden) throws {
    let model = try golden.model()
    let values = try golden.golden()
    let texts = GoldenTexts.heads(
      try GoldenTexts(values).rows.packed(try values.rows("inputs/token_ids")), count: 5)
    let (beginnings, targets) = (
      texts.map { Array($0.prefix(2)) }, texts.map { Array($0.dropFirst(2)) }
    )
    let input = model.embeddings(ofTexts: beginnings)
    let labels = model.hasEncoder ? targets : texts.map { [-100, -100] + $0.dropFirst(2) }
    let whole = model.goldenPass(
      model.hasEncoder ? input : model.embeddings(ofTexts: texts), labels: labels,
      decoderTokens: targets.map { [0] + $0.dropLast() }
    ).loss.value
    #expect(difference(model.loss(of: targets, after: input).value, whole, relative: 1e-5) == nil)
  }
}

/// The padded texts of a golden.
private struct GoldenTexts {
  let rows: RealRows
  /// Where tokens are predicted: packed for decoders, padded for encoder-decoders.
  let labels: [[Int32]]
  let decoderTokens: [[Int32]]?

  init(_ golden: Golden) throws {
    rows = RealRows(mask: try golden.rows("inputs/attention_mask"))
    let padded = try golden.rows("inputs/labels")
    let hasDecoder = !golden.names(under: "inputs/decoder_token_ids").isEmpty
    decoderTokens = hasDecoder ? try golden.rows("inputs/decoder_token_ids") : nil
    labels = hasDecoder ? padded : rows.packed(padded)
  }

  /// The rows of decoders that are real, or of encoder-decoders that are predicted from.
  private var places: [Int32] {
    guard decoderTokens != nil else { return rows.places }
    return labels.joined().enumerated().filter { $0.element >= 0 }.map { Int32($0.offset) }
  }

  func compared(_ logits: Variable) -> Tensor {
    decoderTokens == nil ? logits.value : logits.value.gatheredRows(places)
  }

  func expected(_ name: String, _ golden: Golden) throws -> Tensor {
    try golden.tensor(name).gatheredRows(places)
  }

  static func heads(_ texts: [[Int32]], count: Int) -> [[Int32]] {
    texts.map { Array($0.prefix(count)) }.filter { $0.count == count }
  }
}
