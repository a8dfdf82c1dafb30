import Foundation
import TestSupport
import Testing

@testable import Training

/// `--dry-run` checks all, takes one step and leaves no trace.
@Suite struct DryRunTests {
  private let manager = FileManager.default

  /// Everything below a folder, with contents.
  private func contents(_ path: String) throws -> [String: Data] {
    var contents: [String: Data] = [:]
    for name in try manager.subpathsOfDirectory(atPath: path) {
      contents[name] = manager.contents(atPath: path + "/" + name) ?? Data()
    }
    return contents
  }

  /// A list of the demo's first held-out images.
  private func heldOut(_ count: Int, _ run: TinyRun) throws -> String {
    let data = Goldens.repository.appendingPathComponent("Data/demo")
    let list = try String(
      contentsOf: data.appendingPathComponent("heldout.jsonl"), encoding: .utf8)
    let lines = list.split(separator: "\n").prefix(count).map {
      $0.replacing("images/", with: data.path + "/images/")
    }
    return try run.folder.write(lines.joined(separator: "\n"), to: "few.jsonl").path
  }

  @Test func aNewRunLeavesNothing() throws {
    let run = try TinyRun()
    let before = try contents(run.folder.url.path)
    let result = try BuiltTool.run(
      run.arguments("deep/a", ["--dry-run", "--set", "checkpoint.keep=2"]))
    #expect(result.status == 0, "\(result.errors)")
    for text in [
      "dry run: nothing is written to \(run.output("deep/a"))", "memory: about ", "disk: ",
      "trained parameters: ", "step 1/40, not kept: itc ", "waiting for data",
      "steps to go: 40, roughly ",
    ] {
      #expect(result.output.contains(text), "\(result.output)")
    }
    #expect(!result.output.contains("saved ") && !result.output.contains("done: "))
    #expect(try contents(run.folder.url.path) == before)
  }

  /// The next step of a run is tried, and refusals are those of the run itself.
  @Test func aRunThatIsThereStaysAsItIs() throws {
    let run = try TinyRun(steps: 12)
    #expect(try BuiltTool.run(run.arguments("a", ["--max-steps", "5"])).status == 0)
    let before = try contents(run.output("a"))
    let next = try BuiltTool.run(run.arguments("a", ["--dry-run", "--resume"]))
    #expect(next.status == 0, "\(next.errors)")
    #expect(next.output.contains("resumed from \(run.checkpoint("a", step: 5))"))
    #expect(next.output.contains("step 6/12, not kept: "))
    #expect(next.output.contains("steps to go: 7, "))
    let none = try BuiltTool.run(
      run.arguments("a", ["--dry-run", "--resume", "--max-steps", "5"]))
    #expect(none.status == 0 && none.output.contains("no step is left"), "\(none.errors)")
    #expect(try contents(run.output("a")) == before)
    for options in [[], ["--resume", run.checkpoint("a", step: 5), "--set", "seed=4"]] {
      let refused = try BuiltTool.run(run.arguments("a", options))
      let dry = try BuiltTool.run(run.arguments("a", options + ["--dry-run"]))
      #expect(dry.status == 1 && refused.status == 1)
      #expect(dry.errors == refused.errors)
    }
  }

  /// Features that a run would keep are not computed, and the step is taken from the images.
  @Test func noFeaturesAreKept() throws {
    let run = try TinyRun(vision: "{path: Data/demo/encoder, imageSize: 48, cache: true}")
    let folder = run.folder.path("features")
    let result = try BuiltTool.run(
      run.arguments("a", ["--dry-run", "--set", "vision.cacheFolder=\(folder)"]))
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("not computed in a dry run"), "\(result.output)")
    #expect(result.output.contains("step 1/40, not kept: "))
    #expect(!manager.fileExists(atPath: folder) && !manager.fileExists(atPath: run.output("a")))
  }

  @Test func stageTwoIsTried() throws {
    let run = try TinyStageTwo(family: "opt")
    let result = try BuiltTool.run(run.arguments("a", ["--dry-run"]))
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("step 1/30, not kept: lm "), "\(result.output)")
    #expect(!manager.fileExists(atPath: run.output("a")))
  }

  @Test func schedulesThatAreSeldomMeantAreNamed() {
    var training = TrainingConfiguration()
    training.steps = 60
    training.learningRate.warmupSteps = 59
    #expect(training.oddities == [])
    training.learningRate.warmupSteps = 60
    training.learningRate.final = 1
    #expect(training.oddities.count == 2)
    #expect(training.oddities[0].contains("training.learningRate.warmupSteps is 60"))
    #expect(training.oddities[1].contains("training.learningRate.final is 1.0"))
  }

  /// What makes validation say little is told of before the run.
  @Test func oddRecipesAreWarnedOf() throws {
    let run = try TinyRun(steps: 4)
    let result = try BuiltTool.run(
      run.arguments(
        "a",
        [
          "--dry-run", "--quiet", "--set", "training.learningRate.warmupSteps=4", "--set",
          "data.validation.path=\(heldOut(3, run))",
        ]))
    #expect(result.status == 0, "\(result.errors)")
    let warnings = result.output.split(separator: "\n")
    #expect(warnings.count == 2, "\(result.output)")
    #expect(warnings.allSatisfy { $0.hasPrefix("warning: ") })
    #expect(result.output.contains("warmupSteps is 4") && result.output.contains("has 3 images"))
  }

  /// A single pair has no losses, and the line says why.
  @Test func aValidationOfOnePairSaysSo() throws {
    let run = try TinyRun(steps: 1)
    let result = try BuiltTool.run(
      run.arguments("a", ["--set", "data.validation.path=\(heldOut(1, run))"]))
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("no losses: a single pair has nothing to be compared with"))
    #expect(result.output.contains("among so few candidates R@10 is high"))
  }
}
