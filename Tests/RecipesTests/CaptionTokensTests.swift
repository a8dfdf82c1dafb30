import Datasets
import Foundation
import TestSupport
import Testing

@testable import Recipes

/// Captions of which little or nothing reaches a model.
@Suite struct CaptionTokensTests {
  private func problems(
    _ read: (String) -> CaptionTokens, _ captions: [String]
  ) -> [CaptionTokens.Problem?] { captions.map { read($0).problem } }

  private var data: DataConfiguration {
    var data = DataConfiguration()
    data.vocabulary =
      Goldens.repository.appendingPathComponent("Data/bert-vocabulary/vocab.txt").path
    return data
  }

  private static let long = Array(repeating: "dog", count: 60).joined(separator: " ")

  @Test func ofStageOne() throws {
    let tokenizer = try CaptionTokenizer(data)
    #expect(
      problems(tokenizer.read, ["a red car", "!!!", "...", "\u{200B}", "\u{1F600}", Self.long])
        == [nil, .empty, .empty, .empty, .unknown, .cut])
    #expect(tokenizer.read("!!!").refusal != nil && tokenizer.read("\u{1F600}").refusal != nil)
    #expect(tokenizer.read(Self.long).refusal == nil)
    #expect(tokenizer.read("a red car").count == tokenizer.tokens("a red car").count)
  }

  @Test(arguments: ["opt", "t5"]) func ofStageTwo(family: String) throws {
    var configuration = LanguageModelConfiguration()
    configuration.path = Goldens.repository.appendingPathComponent("Data/demo/\(family)").path
    let tokenizer = try FrozenLanguageModel.tokenizer(configuration)
    let found = problems(
      { CaptionPrompts.read($0, tokenizer, data) }, ["a dog", "!!!", "  ", Self.long])
    #expect(found == [nil, .empty, .empty, .cut])
  }
}
