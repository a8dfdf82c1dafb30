import Checkpointing
import Foundation
import TestSupport
import Testing

@testable import Training

/// Stage 2 from the command line, on the demo's language models and a Q-Former of a few numbers.
@Suite struct StageTwoTests {
  /// 30 steps in one piece equal 30 steps that a kill cut in two, for both kinds of language model.
  @Test(arguments: ["opt", "t5"])
  func killedAndResumedEqualsUninterrupted(_ family: String) throws {
    let run = try TinyStageTwo(family: family)
    let whole = try BuiltTool.run(run.arguments("whole"))
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(whole.output.contains("without stage 1"))
    let killed = try BuiltTool.start(run.arguments("killed"))
    killed.waitForOutput("step \(Int.random(in: 12...24))/30")
    killed.send(SIGKILL)
    #expect(killed.finish().status == SIGKILL)
    let resumed = try BuiltTool.run(run.arguments("killed", ["--resume"]))
    #expect(resumed.status == 0, "\(resumed.errors)")
    for group in ["/model", "/optimizer"] {
      let difference = try TinyRun.difference(
        run.checkpoint("whole", step: 30), run.checkpoint("killed", step: 30), group: group)
      #expect(difference.isEmpty)
    }
  }

  /// Not a byte of the language model changes, and checkpoints hold nothing of it.
  @Test(arguments: ["opt", "t5"])
  func theLanguageModelStaysFrozen(_ family: String) throws {
    let run = try TinyStageTwo(family: family)
    let stage = try StageTwoRun(try run.configuration())
    let languageModel = stage.task.languageModel.model
    let before = languageModel.namedParameters.map { $0.parameter.value.values }
    let start = stage.task.trainedParameters.map { $0.parameter.value.values }
    #expect(try stage.train(resume: .none, isTerminal: false) == .finished)
    #expect(languageModel.namedParameters.map { $0.parameter.value.values } == before)
    let trained = languageModel.namedParameters.filter { !$0.parameter.isFrozen }
    #expect(trained.isEmpty)
    // The test could not fail if nothing were trained.
    let end = stage.task.trainedParameters.map { $0.parameter.value.values }
    #expect(zip(start, end).allSatisfy { $0 != $1 })
    let file = try CheckpointFile.open(
      URL(fileURLWithPath: stage.output + "/step-00000030.h5"))
    #expect(
      Set(file.parameterNames) == Set(stage.task.trainedParameters.map(\.name)))
  }

  @Test func stageOneOfOtherShapeIsRefusedWithBothShapes() throws {
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
      result.errors.contains("[1, 4, 24]") && result.errors.contains("[1, 4, 16]"),
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
    let stage = try StageTwoRun(configuration)
    try stage.initialise(ProgressReporter(totalSteps: 1, logEvery: 1, isTerminal: false))
    let file = try CheckpointFile.open(URL(fileURLWithPath: configuration.stage1.checkpoint))
    var compared = 0
    for entry in stage.task.trainedParameters where !entry.name.hasPrefix("languageProjection.") {
      let stored = try file.tensor("model", entry.name, entry.parameter.shape)
      #expect(entry.parameter.value.values == stored.values, "\(entry.name)")
      compared += 1
    }
    #expect(compared == stage.task.trainedParameters.count - 2)
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

  @Test func anotherFamilyThanAskedForIsRefused() throws {
    let run = try TinyStageTwo(family: "opt")
    let result = try BuiltTool.run(
      run.arguments("a", ["--llm", "t5", "--set", "llm.path=Data/demo/opt"]))
    #expect(result.status == 1)
    #expect(result.errors.contains("Data/demo/opt"))
    #expect(result.errors.contains("--llm opt"))
  }

  /// Captions, questions, several texts, JSON; pictures that are none, prompts that have no room.
  @Test func generation() throws {
    let run = try TinyStageTwo(family: "opt")
    #expect(try BuiltTool.run(run.arguments("a", ["--max-steps", "3"])).status == 0)
    let broken = try run.folder.write("not a picture", to: "broken.png").path
    let pictures = try run.pictures(2)
    let base = ["generate", "--checkpoint", run.output("a"), "--image"]
    let plain = try BuiltTool.run(
      base + [pictures[0], broken, pictures[1], "--max-new-tokens", "5", "--beams", "2"])
    #expect(plain.status == 0, "\(plain.errors)")
    let lines = plain.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(zip(lines, pictures).allSatisfy { $0.hasPrefix($1 + "\t") })
    #expect(plain.errors.contains("broken.png") && plain.errors.contains("1 of 3"))

    let several = try BuiltTool.run(
      base + [
        pictures[0], "--sample", "--captions", "3", "--json", "--max-new-tokens", "4",
        "--prompt", "question: what is it? answer:",
      ])
    #expect(several.status == 0, "\(several.errors)")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(several.output.utf8)) as? [String: Any])
    #expect((object["texts"] as? [String])?.count == 3)
    let again = try BuiltTool.run(
      base + [
        pictures[0], "--sample", "--captions", "3", "--json", "--max-new-tokens", "4",
        "--prompt", "question: what is it? answer:",
      ])
    #expect(again.output == several.output, "draws depend on the seed alone")

    let long = try BuiltTool.run(
      base + [pictures[0], "--prompt", Array(repeating: "word", count: 300).joined(separator: " ")])
    #expect(long.status == 1)
    #expect(long.errors.contains("128 positions"), "\(long.errors)")
    #expect(try BuiltTool.run(base + [pictures[0], "--top-p", "3", "--sample"]).status == 64)
    #expect(try BuiltTool.run(base + [broken]).status == 1)
  }

  @Test func evaluationOfCaptionsAndAnswers() throws {
    let run = try TinyStageTwo(family: "t5")
    #expect(try BuiltTool.run(run.arguments("a", ["--max-steps", "2"])).status == 0)
    let pictures = try run.pictures(3)
    let captions = pictures.enumerated().map { index, path in
      ["image": path, "caption": ["a face", "picture \(index)"]] as [String: Any]
    }
    let list = try run.folder.write(
      String(decoding: try JSONSerialization.data(withJSONObject: captions), as: UTF8.self),
      to: "captions.json")
    let judged = try BuiltTool.run([
      "evaluate", "caption", "--checkpoint", run.output("a"), "--data", list.path,
      "--max-new-tokens", "4", "--beams", "1", "--json", "--answers", run.output("said.jsonl"),
    ])
    #expect(judged.status == 0, "\(judged.errors)")
    let scores = try #require(
      try JSONSerialization.jsonObject(with: Data(judged.output.utf8)) as? [String: Any])
    #expect(
      scores["captions"] as? Int == 3 && scores["cider"] is Double && scores["bleu4"] is Double)
    let said = try String(contentsOfFile: run.output("said.jsonl"), encoding: .utf8)
    #expect(said.split(separator: "\n").count == 3)

    let questions = pictures.enumerated().map { index, path in
      ["image": path, "question": "what is it?", "answer": ["a face"], "question_id": index]
        as [String: Any]
    }
    let file = try run.folder.write(
      String(decoding: try JSONSerialization.data(withJSONObject: questions), as: UTF8.self),
      to: "questions.json")
    let answered = try BuiltTool.run([
      "evaluate", "vqa", "--checkpoint", run.output("a"), "--questions", file.path,
      "--max-new-tokens", "4", "--beams", "2",
    ])
    #expect(answered.status == 0, "\(answered.errors)")
    #expect(answered.output.contains("accuracy"), "\(answered.output)")
  }

  @Test func validationCaptionsAndScores() throws {
    let run = try TinyStageTwo(family: "opt")
    let result = try BuiltTool.run(
      run.arguments(
        "a",
        [
          "--max-steps", "2", "--set", "data.validation.path=Data/demo/heldout.jsonl",
          "--set", "training.steps=2", "--set", "validation.captions=12",
          "--set", "validation.generation.maximumNewTokens=4",
        ]))
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("CIDEr"), "\(result.output)")
    #expect(result.output.contains("the best so far, by CIDEr"))
    #expect(result.output.contains("says"))
  }
}

/// The smallest stage-2 run: a new Q-Former over the demo's encoder before the demo's language model.
private struct TinyStageTwo {
  let folder: TemporaryFolder
  let recipe: URL
  let family: String

  init(family: String) throws {
    self.family = family
    folder = try TemporaryFolder()
    recipe = try folder.write(
      """
      seed: 3
      output: \(folder.path("a"))
      model:
        qFormer: {width: 16, layers: 2, heads: 2, feedForwardWidth: 32, queries: 4,
          maximumPositions: 40}
      vision: {path: Data/demo/encoder, imageSize: 48}
      stage1: {checkpoint: none}
      llm: {family: \(family), path: "Data/demo/{llm}"}
      data:
        train: {path: Data/demo/heldout.jsonl}
        workers: 1
      training:
        steps: 30
        batchSize: 4
        clipNorm: 1
        learningRate: {warmupSteps: 5, peak: 1.0e-3}
      validation: {every: 0}
      checkpoint: {every: 5, keep: 100}
      log: {every: 1, tensorBoard: false}
      """, to: "recipe.yaml")
  }

  func output(_ name: String) -> String { folder.path(name) }

  func arguments(_ output: String, _ more: [String] = []) -> [String] {
    ["stage2", "--config", recipe.path, "--output", self.output(output)] + more
  }

  func configuration() throws -> StageTwoRunConfiguration {
    try ConfigurationLoader.load(StageTwoRunConfiguration(), file: recipe, overrides: [])
  }

  func checkpoint(_ output: String, step: Int) -> String {
    self.output(output) + String(format: "/step-%08d.h5", step)
  }

  /// Pictures that ship with the repository.
  func pictures(_ count: Int) throws -> [String] {
    let source = Goldens.repository.appendingPathComponent("Data/demo/images")
    return try FileManager.default.contentsOfDirectory(atPath: source.path).sorted().prefix(count)
      .map { source.appendingPathComponent($0).path }
  }

  /// A stage-1 checkpoint on the same encoder; its path.
  func stageOne(width: Int) throws -> String {
    let recipe = try folder.write(
      """
      seed: 3
      model:
        qFormer: {width: \(width), layers: 2, heads: 2, feedForwardWidth: 32, queries: 4,
          maximumPositions: 40}
        embeddingWidth: 8
      vision: {path: Data/demo/encoder, imageSize: 48}
      data:
        train: {path: Data/demo/heldout.jsonl}
        workers: 1
      training: {steps: 1, batchSize: 4, learningRate: {warmupSteps: 1}}
      validation: {every: 0}
      log: {tensorBoard: false}
      """, to: "stage1.yaml")
    let result = try BuiltTool.run(
      ["stage1", "--config", recipe.path, "--output", output("stage1")])
    guard result.status == 0 else { throw StageOneFailed(errors: result.errors) }
    return output("stage1") + "/step-00000001.h5"
  }

  private struct StageOneFailed: Error { let errors: String }
}
