import Checkpointing
import Foundation
import TestSupport
import Testing

@testable import Recipes
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
    let killed = try BuiltTool.kill(
      run.arguments("killed"), at: "step \(Int.random(in: 11...15))/30"
    ) { try FileManager.default.removeItem(atPath: run.output("killed")) }
    #expect(killed.status == SIGKILL, "\(killed.errors)")
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
    let stage = try StageTwoRecipe(try run.configuration())
    let languageModel = stage.languageModel.model
    let before = languageModel.namedParameters.map { $0.parameter.value.values }
    let start = stage.model.trainedParameters.map { $0.parameter.value.values }
    #expect(try Trainer(stage, isTerminal: false).train(resume: .none) == .finished)
    #expect(languageModel.namedParameters.map { $0.parameter.value.values } == before)
    let trained = languageModel.namedParameters.filter { !$0.parameter.isFrozen }
    #expect(trained.isEmpty)
    // The test could not fail if nothing were trained. A bias of keys shifts all scores of a row, which
    // the softmax does not see: where nothing rounds it, its gradient is zero.
    for (trained, start) in zip(stage.model.trainedParameters, start) {
      #expect(
        trained.parameter.value.values != start
          || trained.name.hasSuffix("crossAttention.key.bias"),
        "\(trained.name)")
    }
    let file = try CheckpointFile.open(
      URL(fileURLWithPath: stage.configuration.output + "/step-00000030.h5"))
    #expect(
      Set(file.parameterNames) == Set(stage.model.trainedParameters.map(\.name)))
  }

  /// Captions, questions, several texts, JSON; images that are none, prompts that have no room.
  @Test func generation() throws {
    let run = try TinyStageTwo(family: "opt")
    #expect(try BuiltTool.run(run.arguments("a", ["--max-steps", "3"])).status == 0)
    let broken = try run.folder.write("not an image", to: "broken.png").path
    let images = try run.images(2)
    let base = ["generate", "--checkpoint", run.output("a"), "--image"]
    let plain = try BuiltTool.run(
      base + [images[0], broken, images[1], "--max-new-tokens", "5", "--beams", "2"])
    #expect(plain.status == 0, "\(plain.errors)")
    let lines = plain.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(zip(lines, images).allSatisfy { $0.hasPrefix($1 + "\t") })
    #expect(plain.errors.contains("broken.png") && plain.errors.contains("1 of 3"))

    let several = try BuiltTool.run(
      base + [
        images[0], "--sample", "--captions", "3", "--json", "--max-new-tokens", "4",
        "--prompt", "question: what is it? answer:",
      ])
    #expect(several.status == 0, "\(several.errors)")
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(several.output.utf8)) as? [String: Any])
    #expect((object["texts"] as? [String])?.count == 3)
    let again = try BuiltTool.run(
      base + [
        images[0], "--sample", "--captions", "3", "--json", "--max-new-tokens", "4",
        "--prompt", "question: what is it? answer:",
      ])
    #expect(again.output == several.output, "draws depend on the seed alone")

    let long = try BuiltTool.run(
      base + [images[0], "--prompt", Array(repeating: "word", count: 300).joined(separator: " ")])
    #expect(long.status == 1)
    #expect(long.errors.contains("128 positions"), "\(long.errors)")
    #expect(try BuiltTool.run(base + [images[0], "--top-p", "3", "--sample"]).status == 64)
    #expect(try BuiltTool.run(base + [broken]).status == 1)
  }

  @Test func evaluationOfCaptionsAndAnswers() throws {
    let run = try TinyStageTwo(family: "t5")
    #expect(try BuiltTool.run(run.arguments("a", ["--max-steps", "2"])).status == 0)
    let images = try run.images(3)
    let captions = images.enumerated().map { index, path in
      ["image": path, "caption": ["a face", "image \(index)"]] as [String: Any]
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

    // A folder is judged as well, and a prompt is bounded although a T5 has no table of positions.
    let folder = try TemporaryFolder()
    try folder.copy(URL(fileURLWithPath: images[0]), as: "a.webp")
    try folder.write("a face", to: "a.txt")
    let base = ["--checkpoint", run.output("a"), "--max-new-tokens", "4", "--beams", "1"]
    let inFolder = try BuiltTool.run(
      ["evaluate", "caption", "--data", folder.url.path, "--json"] + base)
    #expect(inFolder.status == 0, "\(inFolder.errors)")
    #expect(inFolder.output.contains("\"captions\":1"), "\(inFolder.output)")
    let long = try BuiltTool.run(
      ["generate", "--image", images[0], "--prompt", String(repeating: "a b ", count: 3000)] + base)
    #expect(long.status == 1)
    #expect(long.errors.contains("--prompt: expected at most 2048 tokens"), "\(long.errors)")

    let questions = images.enumerated().map { index, path in
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

  /// Questions and answers of people in two files, as VQA has them; the template stands around each.
  @Test func questionsAndAnnotationsInTwoFiles() throws {
    let run = try TinyStageTwo(family: "opt")
    #expect(try BuiltTool.run(run.arguments("a", ["--max-steps", "2"])).status == 0)
    let images = try run.images(2)
    for (number, path) in images.enumerated() {
      try FileManager.default.createSymbolicLink(
        atPath: run.output("COCO_val2014_\(String(format: "%012d", number + 1)).jpg"),
        withDestinationPath: path)
    }
    let questions = try run.folder.write(
      """
      {"data_subtype": "val2014", "questions": [
        {"image_id": 1, "question": "What is it?", "question_id": 10},
        {"image_id": 2, "question": "Which colour?", "question_id": 20}]}
      """, to: "questions.json")
    let annotations = try run.folder.write(
      """
      {"annotations": [
        {"question_id": 10, "image_id": 1, "answers": [{"answer": "a ball", "answer_id": 1}]},
        {"question_id": 20, "image_id": 2, "answers": [{"answer": "red", "answer_id": 1}]}]}
      """, to: "annotations.json")
    let result = try BuiltTool.run([
      "evaluate", "vqa", "--checkpoint", run.output("a"), "--questions", questions.path,
      "--annotations", annotations.path, "--images", run.folder.url.path, "--max-new-tokens", "4",
      "--json",
    ])
    #expect(result.status == 0, "\(result.errors)")
    let scores = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    #expect(scores["questions"] as? Int == 2 && scores["accuracy"] is Double, "\(scores)")
  }

  /// A run that is asked to stop while it captions held-out images stops soon, with what it has.
  @Test func stoppedWithinValidation() throws {
    let run = try TinyStageTwo(family: "opt")
    let arguments = run.arguments(
      "a",
      [
        "--set", "data.validation.path=Data/demo/heldout.jsonl", "--set", "validation.every=7",
        "--set", "validation.captions=180", "--set", "validation.generation.maximumNewTokens=90",
        "--set", "validation.generation.minimumNewTokens=90",
        "--set", "validation.generation.beams=16",
      ])
    let running = try BuiltTool.start(arguments)
    running.waitForOutput("step 7/30")
    running.waitForWork(.milliseconds(500))
    let (result, work) = running.stop(SIGTERM)
    #expect(result.status == 128 + SIGTERM)
    // All captions take far longer.
    #expect(work < .seconds(20))
    #expect(!result.output.contains("CIDEr"), "\(result.output)")
    #expect(FileManager.default.fileExists(atPath: run.checkpoint("a", step: 7)))
  }

  /// The benchmarks end with the line that a script reads, on real shapes.
  @Test(arguments: ["stage2", "generate"])
  func benchmarksEndWithTheirLine(_ kind: String) throws {
    let result = try BuiltTool.run([
      "bench", kind, "--llm", "opt-125m", "--batch", "1", "--steps", "1",
    ])
    #expect(result.status == 0, "\(result.errors)")
    let last = try #require(result.output.split(separator: "\n").last)
    let pattern = #/median [\d.]+ s/step, [\d.]+ (samples|tokens)/s, peak [\d.]+ GiB/#
    #expect(last.wholeMatch(of: pattern) != nil, "\(last)")
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
    #expect(result.output.contains("generated"))
  }
}
