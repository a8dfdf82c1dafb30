import Autograd
import Foundation
import LanguageModels
import Tensors
import TestSupport
import Testing
import Tokenizers
import WeightFiles

@testable import Recipes

/// The real SmolLM2-135M (GGUF, quantised) against transformers, where `Data/make-pretrained.sh` has
/// fetched it, or where `BLIP2_SMOLLM2` names the file.
@Suite struct SmolLM2Tests {
  static let file: String? = {
    let given = ProcessInfo.processInfo.environment["BLIP2_SMOLLM2"]
    let usual = Goldens.repository.appendingPathComponent("Data/pretrained/smollm2.gguf").path
    return [given, usual].compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0) }
  }()

  private struct Cases: Decodable {
    struct Case: Decodable {
      let text: String
      let ids: [Int32]
      let decoded: String
    }
    let cases: [Case]
  }

  private func cases() throws -> [Cases.Case] {
    let file = Goldens.folder.appendingPathComponent("smollm2/cases.json")
    return try JSONDecoder().decode(Cases.self, from: Data(contentsOf: file)).cases
  }

  private func languageModel() throws -> FrozenLanguageModel {
    var configuration = LanguageModelConfiguration()
    configuration.path = Self.file
    return try FrozenLanguageModel(configuration)
  }

  @Test(.enabled(if: file != nil, "SmolLM2 is not here"))
  func tokenizerInTheFile() throws {
    let tokenizer = try languageModel().tokenizer
    let cases = try cases()
    #expect(!cases.isEmpty)
    for entry in cases {
      #expect(tokenizer.encode(entry.text) == entry.ids, "\(entry.text)")
      #expect(tokenizer.decode(entry.ids, skippingSpecialTokens: false) == entry.decoded)
    }
  }

  @Test(.enabled(if: file != nil, "SmolLM2 is not here"))
  func logitsLossAndGreedyTokens() throws {
    let model = try languageModel().model
    let golden = try Golden(Goldens.folder.appendingPathComponent("smollm2/golden.safetensors"))
    for (index, entry) in try cases().prefix(3).enumerated() {
      let ids = entry.ids
      let first = model.embeddings(ofTexts: [[ids[0]]])
      let states = model.states(predicting: [Array(ids.dropFirst()) + [0]], after: first)
      let logits = model.logits(states).value
      #expect(
        difference(
          logits.rows(ids.count - 1..<ids.count), try golden.tensor("\(index)/last_logits"),
          relative: 1e-4) == nil)
      let means = (0..<ids.count).map {
        Float(logits.rows($0..<$0 + 1).sum() / Double(logits.width))
      }
      #expect(
        difference(
          Tensor(means, shape: [ids.count]), try golden.tensor("\(index)/mean_logit"),
          relative: 1e-4) == nil)
      let loss = model.loss(of: [Array(ids.dropFirst())], after: first).value
      #expect(difference(loss, try golden.tensor("\(index)/loss"), relative: 1e-4) == nil)
      var options = GenerationOptions(endIds: [model.tokens.end])
      options.method = .greedy
      options.minimumNewTokens = 0
      options.maximumNewTokens = 16
      let tokens = try TextGenerator(options).sequences(
        model.decodingSession(after: model.embeddings(ofTexts: [ids])), priorTokens: [ids]
      )[0][0].tokens
      let wanted = try golden.integers("\(index)/greedy").map(Int32.init)
      #expect(tokens == Array(wanted.prefix(tokens.count)))
      #expect(tokens.count == wanted.count || tokens.last == model.tokens.end)
    }
  }
}
