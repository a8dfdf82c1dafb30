import Checkpointing
import Foundation
import LanguageModels
import TestSupport
import Testing

@testable import Recipes
@testable import Reporting
@testable import Training

/// What stage 2 begins from, and what it refuses to begin with.
@Suite struct StageTwoStartTests {
  @Test func stageOneOfOtherSizesIsRefusedWithBoth() throws {
    let run = try TinyStageTwo(family: "opt")
    let result = try BuiltTool.run(
      run.arguments(
        "a",
        [
          "--set", "stage1.checkpoint=\(try run.stageOne(width: 16))",
          "--set", "model.qFormer.width=24", "--set", "model.qFormer.heads=2",
        ]))
    #expect(result.status == 1)
    #expect(
      result.errors.contains("model.qFormer.width: the checkpoint has 16, now it is 24"),
      "\(result.errors)")
  }

  @Test func stageOneGivesItsQFormer() throws {
    let run = try TinyStageTwo(family: "t5")
    let stageOne = try run.stageOne(width: 16)
    let result = try BuiltTool.run(
      run.arguments("a", ["--set", "stage1.checkpoint=\(stageOne)", "--max-steps", "1"]))
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("begun from stage 1, \(stageOne)"), "\(result.output)")
    let missing = try BuiltTool.run(
      run.arguments("b", ["--set", "stage1.checkpoint=no/such/run"]))
    #expect(missing.status == 1)
    #expect(missing.errors.contains("stage1.checkpoint=none"), "\(missing.errors)")
  }

  /// Every number of the Q-Former and of the norm over the features; the projection is new.
  @Test func theNumbersAreThoseOfStageOne() throws {
    let run = try TinyStageTwo(family: "opt")
    var configuration = try run.configuration()
    configuration.stage1.checkpoint = try run.stageOne(width: 16)
    let stage = try StageTwoRecipe(configuration)
    try stage.initialise(ProgressReporter(totalSteps: 1, isTerminal: false))
    let file = try CheckpointFile.open(URL(fileURLWithPath: configuration.stage1.checkpoint))
    var compared = 0
    for entry in stage.model.trainedParameters where !entry.name.hasPrefix("languageProjection.") {
      let stored = try file.tensor("model", entry.name, entry.parameter.shape)
      #expect(entry.parameter.value.values == stored.values, "\(entry.name)")
      compared += 1
    }
    #expect(compared == stage.model.trainedParameters.count - 2)
  }

  /// Heads and further layers change no shape, but another function is another Q-Former.
  @Test(arguments: ["heads=4", "layers=1", "layers=3", "crossAttentionFrequency=1"])
  func anotherQFormerOfTheSameShapesIsRefused(_ change: String) throws {
    let run = try TinyStageTwo(family: "opt")
    let stageOne = try run.stageOne(width: 16)
    let result = try BuiltTool.run(
      run.arguments(
        "a", ["--set", "stage1.checkpoint=\(stageOne)", "--set", "model.qFormer.\(change)"]))
    #expect(result.status == 1, "\(result.output)")
    #expect(result.errors.contains(stageOne), "\(result.errors)")
  }

  @Test func resumeWithAnotherLanguageModelIsRefused() throws {
    let run = try TinyStageTwo(family: "opt")
    #expect(try BuiltTool.run(run.arguments("a", ["--max-steps", "5"])).status == 0)
    let other = try run.folder.copy(
      Goldens.repository.appendingPathComponent("Data/demo/opt"), as: "other")
    let file = other.appendingPathComponent("tokenizer_config.json")
    let settings = try String(contentsOf: file, encoding: .utf8)
    try Data((settings + "\n").utf8).write(to: file)
    let result = try BuiltTool.run(
      run.arguments("a", ["--resume", "--set", "llm.path=\(other.path)"]))
    #expect(result.status == 1)
    #expect(result.errors.contains("llm: the checkpoint was made with"), "\(result.errors)")
  }

  @Test func whatDoesNotFitIsSaidBeforeLoading() throws {
    #expect(throws: RunError.tooLarge(path: "m", bytes: 100, memory: 50)) {
      try FrozenLanguageModel.requireRoom(
        bytes: 100, memory: SystemMemory(total: 200, available: 50), path: "m")
    }
    let text = RunError.tooLarge(path: "m", bytes: 5 << 30, memory: 2 << 30).description
    #expect(text.contains("5.0 GiB") && text.contains("2.0 GiB"))
  }

  /// What counts is the language model, in the form in which it is multiplied.
  @Test func theMemoryThatIsWanted() throws {
    let opt = try LanguageModelSource(
      Goldens.repository.appendingPathComponent("Data/demo/opt"))
    let float16 = opt.weightBytes(in: .float32)
    #expect(float16 > 3_000_000 && opt.weightBytes(in: .bfloat16) == float16)
    let whole = try LanguageModelSource(Goldens.folder.appendingPathComponent("blip2-opt"))
    let all = whole.weights.names.reduce(0) {
      $0 + ((try? whole.weights.tensor(named: $1).bytes.count) ?? 0)
    }
    #expect(whole.weightBytes(in: .float32) < all)
    let less = whole.weightBytes(in: .bfloat16)
    #expect(less > 0 && less < whole.weightBytes(in: .float32))
  }

  @Test func anotherFamilyThanAskedForIsRefused() throws {
    let run = try TinyStageTwo(family: "opt")
    let result = try BuiltTool.run(
      run.arguments("a", ["--llm", "t5", "--set", "llm.path=Data/demo/opt"]))
    #expect(result.status == 1)
    #expect(result.errors.contains("Data/demo/opt"))
    #expect(result.errors.contains("--llm opt"))
  }

  /// The paper's comparison begins from BERT.
  @Test func withoutStageOneFromBERT() throws {
    let run = try TinyStageTwo(family: "opt")
    let bert = Goldens.folder.appendingPathComponent("bert")
    let sizes = try BERTSizes(bert).overrides + ["--max-steps", "1"]
    let result = try BuiltTool.run(
      run.arguments("a", sizes + ["--set", "initialise.bert=\(bert.path)"]))
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("initialised from BERT \(bert.path)"), "\(result.output)")
    let both = try BuiltTool.run(
      run.arguments(
        "b",
        sizes + [
          "--set", "initialise.bert=\(bert.path)", "--set", "stage1.checkpoint=Checkpoints/x",
        ]))
    #expect(both.status == 1)
    #expect(both.errors.contains("stage1.checkpoint=none"), "\(both.errors)")
  }

  /// Captions first, say, and then questions: the weights go on, steps and moments begin anew.
  @Test func fromAnEarlierStageTwoRecipe() throws {
    let run = try TinyStageTwo(family: "opt")
    #expect(try BuiltTool.run(run.arguments("a", ["--max-steps", "5"])).status == 0)
    var configuration = try run.configuration()
    configuration.output = run.output("b")
    configuration.initialise.from = run.output("a")
    configuration.seed = 8
    let stage = try StageTwoRecipe(configuration)
    try stage.initialise(ProgressReporter(totalSteps: 1, isTerminal: false))
    let file = try CheckpointFile.open(URL(fileURLWithPath: run.checkpoint("a", step: 5)))
    for entry in stage.model.trainedParameters {
      let stored = try file.tensor("model", entry.name, entry.parameter.shape)
      #expect(entry.parameter.value.values == stored.values, "\(entry.name)")
    }
    let stageOne = try run.stageOne(width: 16)
    let wrong = try BuiltTool.run(
      run.arguments("c", ["--set", "initialise.from=\(stageOne)"]))
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains("stage1"), "\(wrong.errors)")
  }

  /// A tokenizer with more tokens than the model has rows, one that ends texts otherwise, and one
  /// that cannot say where a text of OPT ends.
  @Test func aTokenizerOfAnotherModelIsRefused() throws {
    let run = try TinyStageTwo(family: "opt")
    let without = try run.folder.copy(
      Goldens.repository.appendingPathComponent("Data/demo/opt"), as: "without")
    let vocabulary = without.appendingPathComponent("vocab.json")
    let words = try String(contentsOf: vocabulary, encoding: .utf8)
    #expect(words.contains("\"\u{10A}\""))
    try Data(words.replacingOccurrences(of: "\"\u{10A}\"", with: "\"no feed\"").utf8)
      .write(to: vocabulary)
    let large = try run.folder.copy(
      Goldens.folder.appendingPathComponent("tokenizers/gpt2"), as: "large")
    try Data(#"{"bos_token": "</s>", "eos_token": "</s>", "pad_token": "<pad>"}"#.utf8)
      .write(to: large.appendingPathComponent("special_tokens_map.json"))
    let model = try #require(
      try JSONSerialization.jsonObject(
        with: Data(
          contentsOf: Goldens.repository.appendingPathComponent("Data/demo/opt/config.json")))
        as? [String: Any])
    let embeddings = try #require(model["vocab_size"] as? Int)
    for (tokenizer, parts) in [
      (large.path, ["\(embeddings)", "llm.tokenizer"]),
      ("Data/demo/t5", ["end with token 1", "llm.tokenizer"]),
      (without.path, ["line feed"]),
    ] {
      let result = try BuiltTool.run(
        run.arguments("a", ["--set", "llm.tokenizer=\(tokenizer)"]))
      #expect(result.status == 1, "\(tokenizer)")
      for part in parts { #expect(result.errors.contains(part), "\(result.errors)") }
    }
  }
}
