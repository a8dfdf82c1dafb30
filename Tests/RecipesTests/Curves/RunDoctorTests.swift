import Foundation
import TestSupport
import Testing

@testable import Recipes

/// `doctor --run` as a person runs it.
@Suite struct RunDoctorTests {
  private struct Report: Decodable {
    struct Finding: Decodable {
      let kind: String
      let verdict: String
      let metric: String?
      let step: Int
      let value: Double?
      let expected: Double?
      let text: String
    }
    struct Reference: Decodable {
      let file: String
      let name: String
      let agrees: Bool
    }
    let run: String
    let stage: String
    let step: Int
    let steps: Int?
    let batchSize: Int?
    let findings: [Finding]
    let reference: Reference?
  }

  private func report(_ arguments: [String]) throws -> Report {
    let result = try BuiltTool.run(["doctor", "--json"] + arguments)
    #expect(result.status == 0, "\(result.errors)")
    return try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
  }

  @Test func runsAreJudgedAndHeldAgainstOneAnother() throws {
    let run = try TinyRun(steps: 20)
    for seed in 1...4 {
      let trained = try BuiltTool.run(run.arguments("\(seed)", ["--set", "seed=\(seed)"]))
      #expect(trained.status == 0, "\(trained.errors)")
    }
    let report = try report(["--run", run.output("1")])
    #expect(report.stage == "stage1" && report.step == 20 && report.steps == 20)
    #expect(report.batchSize == 8 && report.reference == nil)
    let contrast = try #require(report.findings.first { $0.kind.hasPrefix("contrast") })
    #expect(abs((contrast.expected ?? 0) - log(8)) < 1e-9)
    #expect(contrast.metric == "train/itc" && contrast.step == 20)
    #expect(report.findings.contains { $0.kind == "temperature" && $0.verdict == "usual" })
    let words = try BuiltTool.run(["doctor", "--run", run.output("1")])
    #expect(words.status == 0 && words.errors == "")
    let lines = words.output.split(separator: "\n")
    #expect(lines.first == "\(run.output("1")): stage1, step 20 of 20, batch 8")
    #expect(lines.count == report.findings.count + 1)

    let file = run.output("tiny.json")
    let writing = ["doctor", "--write-reference", file]
    let written = try BuiltTool.run(writing + (1...3).flatMap { ["--run", run.output("\($0)")] })
    #expect(written.status == 0, "\(written.errors)")
    #expect(
      written.output == "wrote \(file): 3 runs, itc 20 points, itg 20 points, itm 20 points\n")
    let held = try self.report(["--run", run.output("1"), "--reference", file])
    #expect(held.reference?.agrees == true && held.reference?.name == "tiny")
    #expect(held.findings.filter { $0.kind == "reference" }.count == 3)
    let further = try self.report(["--run", run.output("4"), "--reference", file])
    #expect(!further.findings.contains { $0.kind == "referenceSettings" })

    // Another rate is another recipe, which both say.
    let rate = ["--set", "training.learningRate.peak=0.01"]
    #expect(try BuiltTool.run(run.arguments("fast", rate)).status == 0)
    let fast = try self.report(["--run", run.output("fast"), "--reference", file])
    #expect(fast.reference?.agrees == false)
    let settings = fast.findings.first { $0.kind == "referenceSettings" }
    #expect(settings?.text.contains("peakLearningRate: 0.0001 and 0.01") == true)
    let mixed = try BuiltTool.run(
      writing + ["--run", run.output("1"), "--run", run.output("fast")])
    #expect(mixed.status == 1 && mixed.errors.contains("peakLearningRate"))
    let twice = try BuiltTool.run(writing + ["--run", run.output("1"), "--run", run.output("1")])
    #expect(twice.status == 1 && twice.errors.contains("seed"))
  }

  @Test func stageTwoIsHeldAgainstItsLanguageModelsVocabulary() throws {
    let run = try TinyStageTwo(family: "opt")
    let trained = try BuiltTool.run(run.arguments("a", ["--max-steps", "6"]))
    #expect(trained.status == 0, "\(trained.errors)")
    let report = try report(["--run", run.output("a")])
    #expect(report.stage == "stage2" && report.step == 6 && report.steps == 30)
    let finding = try #require(report.findings.first { $0.kind.hasPrefix("languageModel") })
    let config = Goldens.repository.appendingPathComponent("Data/demo/opt/config.json")
    let sizes = try JSONSerialization.jsonObject(with: Data(contentsOf: config)) as? [String: Any]
    let vocabulary = try #require(sizes?["vocab_size"] as? Double)
    #expect(abs((finding.expected ?? 0) - log(vocabulary)) < 1e-9)
  }

  @Test func whatCannotBeReadIsAnError() throws {
    let folder = try TemporaryFolder()
    let run = try SyntheticRun(in: folder, train: ["itc": [4, 3]])
    let file = try folder.write("{}", to: "notes.json").path
    let none = folder.path("none")
    let cases: [([String], String)] = [
      (["--run", none], "none/metrics.jsonl: cannot be read"),
      (["--run", folder.url.path], "metrics.jsonl: cannot be read"),
      (["--run", run.path, "--reference", file], "notes.json is no reference of curves"),
      (["--run", run.path, "--reference", none], "none: cannot be read"),
      (["--run", run.path, "--run", none, "--write-reference", none], "no sound checkpoint"),
      (["--run", run.path, "--run", none, "--write-reference", file], "something else already"),
    ]
    for (arguments, message) in cases {
      let result = try BuiltTool.run(["doctor"] + arguments)
      #expect(result.status == 1 && result.output == "", "\(arguments)")
      #expect(result.errors.hasPrefix("error: "), "\(result.errors)")
      #expect(result.errors.contains(message), "\(result.errors)")
    }
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "{}")
  }

  @Test(arguments: [
    ["--reference", "a.json"], ["--run", "a", "--run", "b"], ["--run", "a", "--force"],
    ["--run", "a", "--write-reference", "b.json"],
    ["--run", "a", "--run", "b", "--write-reference", "b.json", "--json"],
  ])
  func optionsThatDoNotGoTogetherAreWrongUsage(_ arguments: [String]) throws {
    #expect(try BuiltTool.run(["doctor"] + arguments).status == 64)
  }

  @Test func aFolderWithoutACheckpointIsJudgedAsFarAsItGoes() throws {
    let run = try SyntheticRun(train: ["itm": SyntheticRun.line(0.7, 0.3)])
    let report = try report(["--run", run.path])
    #expect(report.steps == nil && report.findings.map(\.verdict).contains("unknown"))
    #expect(report.findings.contains { $0.kind == "matchLearning" })
  }
}
