import Foundation
import TestSupport
import Testing

@testable import Reporting

/// What a person meets in the first hour: lines, logs, going on, choosing a checkpoint.
@Suite struct FirstHourTests {
  /// The step lines of an output.
  private func steps(_ text: String) -> [String] {
    text.split(separator: "\n").filter { $0.hasPrefix("step ") }.map(String.init)
  }

  @Test func theFirstAndTheLastStepAreShown() throws {
    let run = try TinyRun(steps: 12)
    let every = ["--set", "log.every=5"]
    let first = try BuiltTool.run(run.arguments("a", every + ["--max-steps", "7"]))
    #expect(first.status == 0, "\(first.errors)")
    let shown = steps(first.output)
    #expect(shown.map { $0.prefix(while: { $0 != "/" }) } == ["step 1", "step 5", "step 7"])
    #expect(shown[0].hasPrefix("step 1/12  8 %, epoch 1  "), "\(shown[0])")
    let second = try BuiltTool.run(run.arguments("a", every + ["--resume"]))
    #expect(
      steps(second.output).map { $0.prefix(while: { $0 != "/" }) } == [
        "step 8", "step 10", "step 12",
      ])
    #expect(second.output.contains("12 steps, ") && second.output.contains("next: blip2-train "))
    // The file has all of it, of both calls.
    let log = try String(contentsOfFile: run.output("a") + "/log.txt", encoding: .utf8)
    #expect(steps(log) == shown + steps(second.output))
    let recipe = try String(contentsOfFile: run.output("a") + "/recipe.yaml", encoding: .utf8)
    #expect(recipe.contains("recipe: stage1") && recipe.contains("every: 5"))
  }

  /// A line that stays has the mean of the steps since the one before, as the file has.
  @Test func linesHaveMeans() throws {
    let run = try TinyRun(steps: 4)
    let each = try BuiltTool.run(run.arguments("each", ["--set", "log.every=1"]))
    let all = try BuiltTool.run(run.arguments("all", ["--set", "log.every=4"]))
    func losses(_ output: String) throws -> [Double] {
      try steps(output).map { line in
        try Double(#require(line.firstMatch(of: #/itc ([\d.]+)/#)).1).map { $0 } ?? .nan
      }
    }
    let single = try losses(each.output)
    #expect(single.count == 4)
    let mean = try #require(try losses(all.output).last)
    #expect(abs(mean - single.reduce(0, +) / 4) < 1e-4)
  }

  @Test func quietRunsSayNothing() throws {
    let run = try TinyRun(steps: 3)
    let result = try BuiltTool.run(run.arguments("a", ["--quiet"]))
    #expect(result.status == 0 && result.output == "" && result.errors == "", "\(result)")
    let log = try String(contentsOfFile: run.output("a") + "/log.txt", encoding: .utf8)
    #expect(steps(log).count == 3)
  }

  /// A recipe that a person keeps in the folder stays theirs.
  @Test func aPersonsRecipeIsLeftAlone() throws {
    let run = try TinyRun(steps: 1)
    try FileManager.default.createDirectory(
      atPath: run.output("a"), withIntermediateDirectories: false)
    let path = run.output("a") + "/recipe.yaml"
    try "# mine\n".write(toFile: path, atomically: true, encoding: .utf8)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "# mine\n")
  }

  @Test func automaticResumingBeginsOrGoesOn() throws {
    let run = try TinyRun(steps: 6)
    let automatic = ["--resume", "auto"]
    let begun = try BuiltTool.run(run.arguments("a", automatic + ["--max-steps", "2"]))
    #expect(begun.status == 0 && !begun.output.contains("resumed from"), "\(begun.errors)")
    let gone = try BuiltTool.run(run.arguments("a", automatic))
    #expect(gone.status == 0 && gone.output.contains("resumed from"), "\(gone.errors)")
    // Damaged checkpoints are no reason to begin anew, and the advice leads on.
    for name in try FileManager.default.contentsOfDirectory(atPath: run.output("a"))
    where name.hasSuffix(".h5") {
      try Data("no".utf8).write(to: URL(fileURLWithPath: run.output("a") + "/" + name))
    }
    let damaged = try BuiltTool.run(run.arguments("a", automatic))
    #expect(damaged.status == 1 && damaged.errors.contains("move the damaged ones away"))
  }

  @Test func theBestIsNamed() throws {
    let run = try TinyRun(steps: 4)
    let none = try BuiltTool.run(run.arguments("none", ["--max-steps", "1"]))
    #expect(none.status == 0, "\(none.errors)")
    let caption = { (checkpoint: String) in
      try BuiltTool.run([
        "caption", "--checkpoint", checkpoint, "--image", "Data/demo/images/heldout-000.webp",
      ])
    }
    let refused = try caption(run.output("none/best"))
    #expect(refused.status == 1 && refused.errors.contains("data.validation.path"))

    let judged = [
      "data.validation.path=Data/demo/heldout.jsonl", "validation.every=1", "validation.rerank=0",
      "log.images=0", "checkpoint.keep=1",
    ]
    let result = try BuiltTool.run(
      run.arguments("a", judged.flatMap { ["--set", $0] }))
    #expect(result.status == 0, "\(result.errors)")
    let best = try #require(result.output.firstMatch(of: #/the best is step (\d+)/#)).1
    let step = try #require(Int(best))
    let named = try caption(run.output("a/best"))
    #expect(named.status == 0, "\(named.errors)")
    #expect(try named.output == caption(run.checkpoint("a", step: step)).output)
    // Each step is saved once, behind its validation.
    let saved = result.output.split(separator: "\n").filter { $0.hasPrefix("saved ") }
    #expect(Set(saved).count == saved.count, "\(saved)")
  }

  @Test(arguments: [
    (["--sample", "--beams", "3"], "--sample"), (["--top-p", "0.5"], "--top-p"),
    (["--temperature", "2"], "--temperature"), (["--seed", "3"], "--seed"),
  ])
  func optionsThatMeanNothingAreRefused(_ options: [String], _ mention: String) throws {
    for command in ["caption", "generate"] {
      let result = try BuiltTool.run([command, "--checkpoint", "x", "--image", "y"] + options)
      #expect(result.status == 64 && result.errors.contains(mention), "\(result.errors)")
    }
  }

  @Test func aPathIsChecked() throws {
    let result = try BuiltTool.run(["data", "check", "Data/demo/heldout.jsonl", "--json"])
    #expect(result.status == 0, "\(result.errors)")
    struct Result: Decodable {
      struct Source: Decodable {
        let path: String
        let pairs, images: Int
      }
      let sources: [Source]
      let problems: [String]
    }
    let report = try JSONDecoder().decode(Result.self, from: Data(result.output.utf8))
    let lines = try String(
      contentsOfFile: Goldens.repository.path + "/Data/demo/heldout.jsonl", encoding: .utf8
    )
    .split(separator: "\n").count
    #expect(report.sources.map(\.images) == [lines] && report.problems.isEmpty)
    let both = try BuiltTool.run(["data", "check", "a", "--config", "b"])
    #expect(both.status == 64 && both.errors.contains("found both"), "\(both.errors)")
  }

  /// Who reads the first line alone gets it, and no complaint.
  @Test func aPipeMayBeClosed() throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = [
      "-c", "\"$0\" recipe stage1 | head -n 1; exit ${PIPESTATUS[0]}", BuiltTool.url.path,
    ]
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(errors.fileHandleForReading.readDataToEndOfFile().isEmpty)
  }
}
