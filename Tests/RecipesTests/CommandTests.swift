import Foundation
import Tensors
import TestSupport
import Testing
import VisionEncoders
import WeightFiles

@testable import Recipes
@testable import Training

/// The commands around training, run as a person runs them.
@Suite struct CommandTests {
  @Test func evaluationGivesTheValidationsNumbers() throws {
    let run = try TinyRun(steps: 4)
    let validation = [
      "--set", "data.validation.path=Data/demo/heldout.jsonl", "--set", "validation.rerank=3",
    ]
    let trained = try BuiltTool.run(run.arguments("a", validation))
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(trained.output.contains("re-ranked by ITM"))
    let lines = try String(contentsOfFile: run.output("a") + "/metrics.jsonl", encoding: .utf8)
    let last = try #require(
      lines.split(separator: "\n").last { $0.contains("\"kind\":\"validation\"") })
    let logged = try object(String(last))
    let result = try BuiltTool.run(
      ["evaluate", "retrieval", "--checkpoint", run.output("a"), "--json"])
    #expect(result.status == 0, "\(result.errors)")
    let evaluated = try object(result.output)
    var compared = 0
    for (name, value) in logged where name.contains(".r") {
      let number = try #require(value as? Double)
      let again = try #require(evaluated[name] as? Double)
      #expect(abs(number - again) < 1e-4)
      compared += 1
    }
    #expect(compared == 18)
    #expect(evaluated["step"] as? Int == 4)
    let table = try BuiltTool.run(
      ["evaluate", "retrieval", "--checkpoint", run.checkpoint("a", step: 4)])
    #expect(table.output.contains("300 images, 300 texts"), "\(table.output)")
  }

  /// The recipe's paths are relative: they count from the folder of the run.
  @Test func checkpointsAreUsedFromAnyFolder() throws {
    let run = try TinyRun(steps: 2, vision: "{path: Data/demo/encoder}")
    let trained = try BuiltTool.run(run.arguments("a"))
    #expect(trained.status == 0, "\(trained.errors)")
    let elsewhere = try TemporaryFolder()
    let evaluation = [
      "evaluate", "retrieval", "--checkpoint", run.output("a"), "--json", "--set",
      "data.validation.path=\(Goldens.repository.path)/Data/demo/heldout.jsonl",
    ]
    let here = try BuiltTool.run(evaluation)
    let there = try BuiltTool.run(evaluation, after: "cd '\(elsewhere.url.path)'")
    #expect(there.status == 0, "\(there.errors)")
    #expect(there.output == here.output && !here.output.isEmpty)
    #expect(
      there.errors.contains("taken from \(Goldens.repository.path): vision.path,"),
      "\(there.errors)")
    #expect(!there.errors.contains("data.validation.path"), "\(there.errors)")
    // The vocabulary comes with the program.
    let data = Goldens.repository.path + "/Data/demo"
    let check = [
      "data", "check", "--config", run.recipe.path, "--set", "vision.path=\(data)/encoder",
      "--set", "data.train.path=\(data)/heldout.jsonl",
    ]
    let checked = try BuiltTool.run(check, after: "cd '\(elsewhere.url.path)'")
    #expect(checked.status == 0, "\(checked.errors)")
    // The user's own paths count from where the user is.
    let misled = try BuiltTool.run(
      evaluation.dropLast() + ["data.validation.path=Data/demo/heldout.jsonl"],
      after: "cd '\(elsewhere.url.path)'")
    #expect(misled.status == 1)
    #expect(
      misled.errors.contains(
        "relative paths count from the working folder, \(elsewhere.url.path)"),
      "\(misled.errors)")
  }

  @Test func brokenImagesAreSkippedCountedAndNamed() throws {
    let run = try TinyRun(steps: 3)
    let images = try TemporaryFolder()
    let source = Goldens.repository.appendingPathComponent("Data/demo/images")
    let names = try FileManager.default.contentsOfDirectory(atPath: source.path).sorted()
    for name in names.prefix(40) {
      try images.copy(source.appendingPathComponent(name))
      try images.write("an image", to: (name as NSString).deletingPathExtension + ".txt")
    }
    try images.write("not an image", to: "broken.jpg")
    try images.write("a broken image", to: "broken.txt")
    let data = ["--set", "data.train.path=\(images.url.path)"]
    let trained = try BuiltTool.run(run.arguments("a", data))
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(trained.output.contains("skipped \(images.path("broken.jpg"))"), "\(trained.output)")
    let check = ["data", "check", "--config", run.recipe.path] + data
    let report = try BuiltTool.run(check + ["--set", "data.maximumBadShare=0.1"])
    #expect(report.status == 0, "\(report.errors)")
    #expect(report.output.contains("broken.jpg"), "\(report.output)")
    let strict = try BuiltTool.run(check + ["--set", "data.maximumBadShare=0"])
    #expect(strict.status == 1)
    #expect(strict.errors.contains("data.maximumBadShare"))
  }

  @Test func dataCheckWarnsOfMirroredSides() throws {
    let run = try TinyRun(steps: 1)
    let check = { (probability: String) in
      try BuiltTool.run([
        "data", "check", "--config", run.recipe.path, "--set",
        "data.train.path=Data/demo/train.jsonl",
        "--set", "data.augmentation.flipProbability=\(probability)", "--quiet",
      ])
    }
    let (mirrored, plain) = (try check("0.5"), try check("0"))
    #expect(mirrored.status == 0 && plain.status == 0)
    #expect(mirrored.errors.contains(" with left or right, and "), "\(mirrored.errors)")
    #expect(plain.errors.isEmpty, "\(plain.errors)")
  }

  @Test func dataCheckFindsTrainingAmongTheHeldOut() throws {
    let run = try TinyRun(steps: 1)
    let result = try BuiltTool.run([
      "data", "check", "--config", run.recipe.path, "--set",
      "data.validation.path=Data/demo/heldout.jsonl", "--json",
    ])
    #expect(result.status == 0, "\(result.errors)")
    let sources = try #require(try object(result.output)["sources"] as? [[String: Any]])
    let findings = try #require(sources.last?["findings"] as? [[String: Any]])
    let found = try #require(findings.first { $0["kind"] as? String == "also in training" })
    #expect(found["count"] as? Int == 300)
    let example = try #require((found["examples"] as? [String])?.first)
    #expect(example.hasSuffix(": as \(example.components(separatedBy: ": as ")[0])"), "\(example)")
  }

  @Test func exportedEncoderGivesTheSameFeatures() throws {
    let run = try TinyRun(steps: 3)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    let exported = try BuiltTool.run(
      ["export", run.output("a"), "--parts", "vision", "--output", run.output("encoder")])
    #expect(exported.status == 0, "\(exported.errors)")
    let evaluation = try LoadedRecipe<StageOneRecipe>(
      run.output("a"), reading: [], report: { _ in })
    let encoder = try VisionEncoderFamily.encoder(
      folder: URL(fileURLWithPath: run.output("encoder"), isDirectory: true))
    let pixels = randomTensor([2, 3, 32, 32], seed: 1)
    let expected = evaluation.recipe.tower.features(pixels).value
    #expect(encoder.features(pixels, output: VisionOutput()).value.values == expected.values)

    // Frozen from the folder, the encoder is not in the checkpoint, and its digest is held to it.
    let frozen = [
      "--set", "vision.path=\(run.output("encoder"))", "--set", "vision.frozen=true",
    ]
    #expect(try BuiltTool.run(run.arguments("b", frozen + ["--max-steps", "2"])).status == 0)
    let weights = URL(fileURLWithPath: run.output("encoder") + "/model.safetensors")
    var bytes = try Data(contentsOf: weights)
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: weights)
    let changed = try BuiltTool.run(run.arguments("b", frozen + ["--resume"]))
    #expect(changed.status == 1)
    #expect(changed.errors.contains("vision: the checkpoint was made with"), "\(changed.errors)")
    let refused = try BuiltTool.run(
      ["export", run.output("b"), "--parts", "vision", "--output", run.output("c")])
    #expect(refused.status == 1 && refused.errors.contains("frozen"))
  }

  /// Another vocabulary of the same size would name other words by the same numbers.
  @Test func anotherVocabularyIsRefused() throws {
    let run = try TinyRun(steps: 1)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    let path = try run.configuration().data.vocabulary
    var words = try String(contentsOfFile: path, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
    words.swapAt(words.count - 2, words.count - 3)
    let other = try run.folder.write(words.joined(separator: "\n"), to: "other.txt")
    for command in [
      ["caption", "--image", "Data/demo/images/heldout-000.webp"], ["evaluate", "retrieval"],
    ] {
      let result = try BuiltTool.run(
        command + ["--checkpoint", run.output("a"), "--set", "data.vocabulary=\(other.path)"])
      #expect(result.status == 1)
      #expect(
        result.errors.contains("vocabulary: the checkpoint was made with"), "\(result.errors)")
    }
  }

  @Test func startsFromBERTAndFromAnEarlierRun() throws {
    let run = try TinyRun(steps: 2)
    let bert = try #require(Goldens.folders(beginning: "bert", with: "model.safetensors").first)
    let stated = try BERTSizes(bert)
    let sizes =
      stated.overrides + [
        "--set", "model.qFormer.maximumPositions=\(stated.maxPositionEmbeddings)",
      ]
    let first = try BuiltTool.run(
      run.arguments("a", sizes + ["--set", "initialise.bert=\(bert.path)"]))
    #expect(first.status == 0, "\(first.errors)")
    #expect(first.output.contains("initialised from BERT"))
    #expect(first.output.contains("qFormer.queryTokens"))
    let second = try BuiltTool.run(
      run.arguments(
        "b",
        sizes + [
          "--set", "initialise.from=\(run.output("a"))", "--set",
          "vision.new.layers=2", "--set", "training.steps=1",
        ]))
    #expect(second.status == 0, "\(second.errors)")
    #expect(second.output.contains(#/starting values kept \(\d+\): vision\.blocks\.1/#))
    let wrong = try BuiltTool.run(
      run.arguments("c", ["--set", "initialise.bert=\(bert.path)"]))
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains("expected [") && wrong.errors.contains("found ["))
  }

  @Test(arguments: [
    (["--set", "training.batchSize=1"], "training.batchSize: expected at least 2, found 1"),
    (["--set", "training.batchsize=8"], "did you mean training.batchSize?"),
    (["--set", "vision.imageSize=33"], "vision.imageSize"),
    (["--set", "vision.new.patchSize=0"], "vision.new.patchSize"),
    (["--set", "vision.new.heads=3"], "vision.new.heads"),
    (
      ["--set", "vision.new={width: 6, heads: 2, positions: sineCosine}"],
      "vision.new.width: expected a multiple of 4 where vision.new.positions is sineCosine, found 6"
    ),
    (["--set", "vision.new.positions=cosine"], "vision.new.positions"),
    (["--set", "vision.new.initialDeviation=-1"], "vision.new.initialDeviation"),
    (["--set", "data.maximumPixelCount=1000000000"], "data.maximumPixelCount"),
    (["--set", "training.adamW.epsilon=0"], "training.adamW.epsilon"),
    (["--set", "model.initialTemperature=.inf"], "model.initialTemperature"),
    (["--set", "data.train.path=nowhere.jsonl"], "nowhere.jsonl"),
    (["--set", "data.vocabulary=nowhere.txt"], "nowhere.txt"),
    (["--set", "vision.path=nowhere"], "nowhere: not found"),
    (["--set", "model.qFormer.vocabularySize=100"], "30523"),
    (["--resume", "nowhere.h5"], "nowhere.h5"),
    (["--resume"], "no sound checkpoint; to train there from the start"),
  ])
  func wrongInputIsNamed(_ arguments: [String], _ message: String) throws {
    let run = try TinyRun(steps: 1)
    let result = try BuiltTool.run(run.arguments("a", arguments))
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("error: "))
    #expect(result.errors.contains(message), "\(result.errors)")
  }

  @Test func benchmarkEndsWithItsLine() throws {
    let result = try BuiltTool.run(
      ["bench", "stage1", "--batch", "2", "--steps", "1", "--small", "--precision", "fp32"])
    #expect(result.status == 0)
    let last = try #require(result.output.split(separator: "\n").last)
    let pattern = #/median [\d.]+ s/step, [\d.]+ samples/s, peak [\d.]+ GiB/#
    #expect(last.wholeMatch(of: pattern) != nil, "\(last)")
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }
}
