import BLIP2
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Recipes

/// What a language model is given to read and to say, on the demo's models.
@Suite struct LanguageModelTextsTests {
  private func texts(
    _ family: String, _ objective: StageTwoObjective = StageTwoObjective()
  ) throws -> (texts: CaptionPrompts, model: FrozenLanguageModel) {
    var configuration = LanguageModelConfiguration()
    configuration.path = Goldens.repository.appendingPathComponent("Data/demo/\(family)").path
    let model = try FrozenLanguageModel(configuration)
    let texts = try CaptionPrompts(model, objective: objective, data: DataConfiguration())
    return (texts, model)
  }

  private func text(_ texts: CaptionPrompts, _ caption: String, draw: UInt32 = 0)
    -> ConditionedText
  {
    var random = RandomStream(Philox(seed: 5, stream: 1), site: 0, sample: draw)
    return texts.text(texts.encode(caption), using: &random)
  }

  /// OPT is asked for the start token, the caption and a line feed, and stops at the line feed.
  @Test func opt() throws {
    let (texts, model) = try texts("opt")
    let tokenizer = model.tokenizer
    let made = text(texts, "Red Apple!")
    let feed = tokenizer.encode("\n")
    #expect(feed.count == 1 && texts.ends == feed)
    #expect(made.prefix.isEmpty)
    let start = try #require(tokenizer.startId)
    #expect(made.target == [start] + tokenizer.encode("red apple") + feed)
    #expect(texts.beginning(nil) == [start])
    #expect(texts.beginning("an image of") == [start] + tokenizer.encode("an image of"))
    #expect(texts.text(tokenizer.encode("red apple") + feed) == "red apple")
  }

  /// With a prompt, only what follows it is asked for, and caption and prompt are read as one text.
  @Test func optWithPrompt() throws {
    var objective = StageTwoObjective()
    objective.prefix = .prompt
    objective.prompt = "an image of"
    let (texts, model) = try texts("opt", objective)
    let tokenizer = model.tokenizer
    let made = text(texts, "apple")
    let start = try #require(tokenizer.startId)
    #expect(made.prefix == [start] + tokenizer.encode("an image of"))
    #expect(
      made.prefix + made.target
        == [start] + tokenizer.encode("an image of apple") + tokenizer.encode("\n"))
    #expect(texts.beginning(nil) == made.prefix)
  }

  /// T5 reads a beginning of at most half the caption and says the rest.
  @Test func t5() throws {
    let (texts, model) = try texts("t5")
    let tokenizer = model.tokenizer
    let caption = "grinning face with smiling eyes and sweat"
    let tokens = tokenizer.encode(caption)
    let end = tokenizer.endId
    var lengths: Set<Int> = []
    for draw in 0..<64 {
      let made = text(texts, caption, draw: UInt32(draw))
      #expect(made.prefix.last == end && made.target.last == end)
      #expect(made.prefix.dropLast() + made.target.dropLast() == tokens[...])
      lengths.insert(made.prefix.count - 1)
    }
    #expect(lengths == Set(1...tokens.count / 2), "all places are drawn, and no others")
    #expect(texts.beginning(nil) == [end])
    #expect(texts.text(tokens + [end]) == caption)
  }
}

/// The small language models of the demo are made by the program itself.
@Suite struct LanguageModelTrainingTests {
  /// A few steps write a folder that stage 2 can read.
  @Test(arguments: ["opt", "t5"])
  func writesAFolder(_ family: String) throws {
    let folder = try TemporaryFolder()
    let source = Goldens.repository.appendingPathComponent("Data/demo/\(family)")
    let output = folder.url.appendingPathComponent("made")
    try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
    for name in try FileManager.default.contentsOfDirectory(atPath: source.path)
    where !["config.json", "model.safetensors"].contains(name) {
      try FileManager.default.copyItem(
        at: source.appendingPathComponent(name), to: output.appendingPathComponent(name))
    }
    let result = try BuiltTool.run([
      "language-model", "--config", "Configs/demo/\(family).yaml", "--set",
      "output=\(folder.path("run"))", "--set", "folder=\(output.path)", "--set",
      "training.steps=3", "--set", "model.width=20", "--set", "model.layers=1", "--set",
      "model.feedForwardWidth=24", "--set", "texts.path=Data/demo/train.jsonl", "--set",
      "listMark=null",
    ])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("wrote the model to \(output.path)"))
    var configuration = LanguageModelConfiguration()
    configuration.path = output.path
    let model = try FrozenLanguageModel(configuration)
    #expect(model.model.family == family && model.model.embeddingWidth == 20)
    let without = try BuiltTool.run([
      "language-model", "--config", "Configs/demo/\(family).yaml", "--set",
      "folder=\(folder.path("none"))", "--set", "output=\(folder.path("other"))",
    ])
    #expect(without.status == 1)
    #expect(without.errors.contains(folder.path("none")), "\(without.errors)")
  }
}
