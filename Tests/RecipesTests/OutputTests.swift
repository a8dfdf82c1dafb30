import Foundation
import TestSupport
import Testing

@testable import Training

/// Nothing that a person made is overwritten by a slip, and nothing of a run is lost.
@Suite struct OutputTests {
  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  @Test func aFolderOfOtherThingsIsRefused() throws {
    let run = try TinyRun(steps: 2)
    let folder = run.folder.url.appendingPathComponent("a")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    try run.folder.write("{}", to: "a/train.jsonl")
    let refused = try BuiltTool.run(run.arguments("a"))
    #expect(refused.status == 1)
    #expect(refused.errors.contains("holds something else already (train.jsonl)"))
    #expect(refused.errors.contains("--force"))
    #expect(try BuiltTool.run(run.arguments("a", ["--force"])).status == 0)
    #expect(try text(run.output("a") + "/train.jsonl") == "{}")
  }

  @Test(arguments: [["--output", ""], ["--output="]])
  func anEmptyOutputIsRefused(_ output: [String]) throws {
    let run = try TinyRun(steps: 2)
    let result = try BuiltTool.run(["stage1", "--config", run.recipe.path] + output)
    #expect(result.status == 64)
    #expect(result.errors.contains("--output"), "\(result.errors)")
  }

  /// Recipes and logs may lie in the folder, and people direct what is said there.
  @Test func logsAndRecipesMayLieThere() throws {
    let run = try TinyRun(steps: 2)
    try FileManager.default.createDirectory(
      at: run.folder.url.appendingPathComponent("a"), withIntermediateDirectories: false)
    for name in ["recipe.yaml", "log.txt", "slurm-17.out"] {
      try run.folder.write("x", to: "a/" + name)
    }
    let result = try BuiltTool.run(run.arguments("a"), after: "exec > '\(run.output("a"))/said.md'")
    #expect(result.status == 0, "\(result.errors)")
    #expect(try text(run.output("a") + "/said.md").contains("done: "))
  }

  @Test func numbersOfAnEarlierRunAreSetAside() throws {
    let run = try TinyRun(steps: 2, extra: "")
    for round in 1...3 {
      #expect(try BuiltTool.run(run.arguments("a", ["--set", "seed=\(round)"])).status == 0)
      try FileManager.default.removeItem(atPath: run.checkpoint("a", step: 2))
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: run.output("a"))
    for name in ["metrics.jsonl", "tensorboard"] {
      for ending in ["", ".superseded", ".superseded-2"] {
        #expect(names.contains(name + ending), "\(names)")
      }
    }
    for ending in ["", ".superseded", ".superseded-2"] {
      let lines = try text(run.output("a") + "/metrics.jsonl" + ending).split(separator: "\n")
      #expect(lines.count == 2, "\(ending)")
    }
  }

  /// Going back keeps the numbers of the steps that are taken again.
  @Test func goingBackKeepsACopyOfTheNumbers() throws {
    let run = try TinyRun(steps: 10)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    let before = try text(run.output("a") + "/metrics.jsonl")
    for ending in ["", "-2"] {
      let back = try BuiltTool.run(
        run.arguments("a", ["--resume=" + run.checkpoint("a", step: 5), "--max-steps", "10"]))
      #expect(back.status == 0, "\(back.errors)")
      #expect(back.output.contains("resumed from \(run.checkpoint("a", step: 5)) at step 5"))
      #expect(back.output.contains("set aside as step-00000010.h5.superseded" + ending))
    }
    #expect(try text(run.output("a") + "/metrics.jsonl.superseded") == before)
  }

  @Test(arguments: [".lock", "metrics.jsonl"])
  func linksAreNotFollowed(_ name: String) throws {
    let run = try TinyRun(steps: 2)
    try FileManager.default.createDirectory(
      at: run.folder.url.appendingPathComponent("a"), withIntermediateDirectories: false)
    try run.folder.write("precious", to: "victim")
    try FileManager.default.createSymbolicLink(
      atPath: run.output("a") + "/" + name, withDestinationPath: run.folder.path("victim"))
    _ = try BuiltTool.run(run.arguments("a"))
    #expect(try text(run.folder.path("victim")) == "precious")
  }

  private struct TooQuick: Error {}

  /// Runs 300 steps, with a checkpoint every 100, and does something to the folder before the first. The
  /// run stands still meanwhile, as it would write there between two removals. One that is quicker than
  /// this process is begun again.
  private func runToItsEnd(
    _ run: TinyRun, _ settings: [String] = [], meanwhile change: () throws -> Void
  ) throws -> BuiltTool.Result {
    for _ in 0..<5 {
      let running = try BuiltTool.start(
        run.arguments("a", ["--set", "checkpoint.every=100"] + settings))
      running.waitForOutput("step 5/")
      let isChanged = try running.paused {
        if running.output.contains("step 100/") { return false }
        try change()
        return true
      }
      let result = running.finish()
      if isChanged == true || result.status != 0 { return result }
      try FileManager.default.removeItem(atPath: run.output("a"))
    }
    throw TooQuick()
  }

  /// Deleted under a run's hands, the folder is made again and the run ends with all it trained.
  @Test func aRemovedFolderIsMadeAgain() throws {
    let run = try TinyRun(steps: 300)
    let result = try runToItsEnd(run) {
      try FileManager.default.removeItem(atPath: run.output("a"))
    }
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("was removed: it is made again"))
    #expect(FileManager.default.fileExists(atPath: run.checkpoint("a", step: 300)))
    #expect(try text(run.output("a") + "/metrics.jsonl").contains("\"step\":300"))
  }

  /// What another run has put in its place is left alone: nothing there is pruned, and no numbers mix.
  @Test func aReplacedFolderIsLeftAlone() throws {
    let run = try TinyRun(steps: 300)
    #expect(try BuiltTool.run(run.arguments("other", ["--max-steps", "10"])).status == 0)
    let manager = FileManager.default
    let result = try runToItsEnd(run, ["--set", "checkpoint.keep=1"]) {
      try manager.moveItem(atPath: run.output("a"), toPath: run.output("away"))
      try manager.copyItem(atPath: run.output("other"), toPath: run.output("a"))
    }
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("was replaced while the run went on"))
    for step in [5, 10] { #expect(manager.fileExists(atPath: run.checkpoint("a", step: step))) }
    #expect(
      try text(run.output("a") + "/metrics.jsonl") == text(run.output("other") + "/metrics.jsonl"))
    #expect(manager.fileExists(atPath: run.output("a.recovered") + "/step-00000300.h5"))
    let recovered = try text(run.output("a.recovered") + "/metrics.jsonl")
    #expect(recovered.contains("\"step\":300"))
  }

  @Test func aTraceReplacesNoOtherOutput() throws {
    let run = try TinyRun(steps: 2)
    let checkpoint = run.checkpoint("a", step: 2)
    try FileManager.default.createDirectory(
      at: run.folder.url.appendingPathComponent("a"), withIntermediateDirectories: false)
    let result = try BuiltTool.run(run.arguments("a", ["--profile=\(checkpoint)"]))
    #expect(result.status == 1 && result.errors.contains("error: --profile: "))
    #expect(try BuiltTool.run(["inspect", checkpoint]).status == 0)
  }

  @Test func commandsReplaceNothingElse() throws {
    let run = try TinyRun(steps: 2)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    let checkpoint = run.checkpoint("a", step: 2)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: checkpoint))
    let metrics = run.output("a") + "/metrics.jsonl"
    let numbers = try text(metrics)
    let embed = ["embed", "--checkpoint", checkpoint, "--text", "a cat", "--output"]
    let plot = ["plot", run.output("a"), "--output"]
    let export = ["export", checkpoint, "--parts", "vision", "--output"]
    for arguments in [embed + [checkpoint], plot + [metrics], export + [run.output("a")]] {
      let refused = try BuiltTool.run(arguments)
      #expect(refused.status == 1 && refused.errors.contains("holds something else already"))
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: checkpoint)) == bytes)
    #expect(try text(metrics) == numbers)
    let fresh = run.folder.path("new")
    for arguments in [embed + [fresh + ".jsonl"], plot + [fresh + ".svg"], export + [fresh]] {
      #expect(try BuiltTool.run(arguments).status == 0)
    }
    // An image of a run is drawn again and again; features and weights are written once.
    #expect(try BuiltTool.run(plot + [fresh + ".svg"]).status == 0)
    #expect(try BuiltTool.run(embed + [fresh + ".jsonl"]).status == 1)
    #expect(try BuiltTool.run(embed + [fresh + ".jsonl", "--force"]).status == 0)
    #expect(try BuiltTool.run(export + [fresh]).status == 1)
    #expect(try BuiltTool.run(export + [fresh, "--force"]).status == 0)
  }
}
