import Foundation
import TestSupport
import Testing

@testable import Training

/// Nothing is lost when a run is killed, stopped or goes on.
@Suite struct ResumeTests {
  @Test(arguments: [
    [], ["--set", "training.chunkSize=3", "--set", "training.recomputeActivations=true"],
  ])
  func killedAndResumedEqualsUninterrupted(_ settings: [String]) throws {
    let run = try TinyRun()
    #expect(try BuiltTool.run(run.arguments("whole", settings)).status == 0)

    // By step 11 the save of step 10 was begun, and so that of step 5 was there.
    let killed = try run.kill(
      "killed", settings, at: "\(Int.random(in: 11...20))/40", delay: .random(in: 0...30_000))
    #expect(killed.status == SIGKILL, "\(killed.errors)")

    let resumed = try BuiltTool.run(run.arguments("killed", settings + ["--resume"]))
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.output.contains("resumed from"))
    for group in ["/model", "/optimizer"] {
      let difference = try TinyRun.difference(
        run.checkpoint("whole", step: 40), run.checkpoint("killed", step: 40), group: group)
      #expect(difference.isEmpty)
    }
    #expect(try metricSteps(run.output("killed")) == Array(1...40))
  }

  @Test func maximumStepsKeepsTheSchedule() throws {
    let run = try TinyRun()
    #expect(try BuiltTool.run(run.arguments("whole")).status == 0)
    let first = try BuiltTool.run(run.arguments("parts", ["--max-steps", "17"]))
    #expect(first.status == 0)
    #expect(FileManager.default.fileExists(atPath: run.checkpoint("parts", step: 17)))
    let file = run.checkpoint("parts", step: 17)
    #expect(try BuiltTool.run(run.arguments("parts", ["--resume", file])).status == 0)
    let difference = try TinyRun.difference(
      run.checkpoint("whole", step: 40), run.checkpoint("parts", step: 40), group: "/model")
    #expect(difference.isEmpty)
  }

  @Test(arguments: StopRequest.signals)
  func signalsEndTheStepAndSave(_ signal: Int32) throws {
    let run = try TinyRun(steps: 100_000, extra: "initialise: {bert: null}")
    let running = try BuiltTool.start(
      run.arguments("stopped", ["--set", "checkpoint.every=0", "--set", "checkpoint.keep=1"]))
    running.waitForOutput("step 3/")
    running.send(signal)
    let result = running.finish()
    #expect(result.status == 128 + signal)
    #expect(result.output.contains("stopped by \(StopRequest.name(of: signal))"))
    #expect(result.errors.contains("giving the present step up"), "\(result.errors)")
    let saved = try FileManager.default.contentsOfDirectory(atPath: run.output("stopped"))
      .filter { $0.hasSuffix(".h5") }
    #expect(saved.count == 1)
  }

  @Test func damagedNewestIsPassedOver() throws {
    let run = try TinyRun(steps: 10)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    let newest = URL(fileURLWithPath: run.checkpoint("a", step: 10))
    var bytes = try Data(contentsOf: newest)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: newest)
    let resumed = try BuiltTool.run(run.arguments("a", ["--resume", run.output("a")]))
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.output.contains("passed over: \(run.checkpoint("a", step: 10))"))
    #expect(resumed.output.contains("resumed from \(run.checkpoint("a", step: 5))"))
    let direct = try BuiltTool.run(
      run.arguments("b", ["--resume", run.checkpoint("a", step: 5), "--max-steps", "6"]))
    #expect(direct.status == 0, "\(direct.errors)")
  }

  /// Going back to an earlier step leaves no future that a later `--resume` could take.
  @Test func goingBackSetsLaterCheckpointsAside() throws {
    let run = try TinyRun(steps: 20)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    let back = try BuiltTool.run(
      run.arguments("a", ["--resume", run.checkpoint("a", step: 5), "--max-steps", "10"]))
    #expect(back.status == 0, "\(back.errors)")
    #expect(back.output.contains("set aside as step-00000020.h5.superseded"))
    let on = try BuiltTool.run(run.arguments("a", ["--resume"]))
    #expect(on.output.contains("resumed from \(run.checkpoint("a", step: 10))"), "\(on.output)")
  }

  @Test func anotherRunsFolderIsLeftAlone() throws {
    let run = try TinyRun(steps: 5)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    #expect(try BuiltTool.run(run.arguments("b")).status == 0)
    let before = try Data(contentsOf: URL(fileURLWithPath: run.checkpoint("b", step: 5)))
    let refused = try BuiltTool.run(run.arguments("b", ["--resume", run.output("a")]))
    #expect(refused.status == 1 && refused.errors.contains("holds a run already"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: run.checkpoint("b", step: 5))) == before)
  }

  /// The last K and the best by validation stay; a kill while held-out pairs are judged, a frozen
  /// encoder and several workers change nothing.
  @Test func keepsTheLastAndTheBest() throws {
    let run = try TinyRun(steps: 30)
    let settings = [
      "data.validation.path=Data/demo/heldout.jsonl", "validation.every=6", "validation.rerank=2",
      "checkpoint.keep=2", "data.workers=3", "checkpoint.everyMinutes=0.01",
    ].flatMap { ["--set", $0] }
    #expect(try BuiltTool.run(run.arguments("whole", settings)).status == 0)
    let killed = try run.kill("killed", settings, at: "\(Int.random(in: 11...15))/30")
    #expect(killed.status == SIGKILL, "\(killed.errors)")
    let resumed = try BuiltTool.run(run.arguments("killed", settings + ["--resume"]))
    #expect(resumed.status == 0, "\(resumed.errors)")
    let difference = try TinyRun.difference(
      run.checkpoint("whole", step: 30), run.checkpoint("killed", step: 30), group: "/model")
    #expect(difference.isEmpty)
    for name in ["whole", "killed"] {
      let kept = try FileManager.default.contentsOfDirectory(atPath: run.output(name))
        .filter { $0.hasSuffix(".h5") }
      #expect((2...3).contains(kept.count), "\(kept)")
      #expect(kept.contains("step-00000030.h5"))
    }
  }

  @Test func aSecondInterruptEndsAtOnce() throws {
    let run = try TinyRun(steps: 100_000)
    let arguments = run.arguments(
      "a",
      [
        // One micro-batch of about a second, which a first signal lets end.
        "--set", "training.batchSize=64", "--set", "training.accumulation=1", "--set",
        "model.qFormer.width=384", "--set", "model.qFormer.layers=8", "--set",
        "model.qFormer.feedForwardWidth=1536",
      ])
    var ended: BuiltTool.Result?
    // Where the micro-batch ends before the second signal comes, it is tried again.
    for _ in 0..<5 where ended?.output.contains("stopped by ") ?? true {
      let running = try BuiltTool.start(arguments)
      // The second step is under way as soon as the first is told of.
      running.waitForOutput("step 1/")
      running.send(SIGINT)
      // Two signals that come before the first is taken are one.
      running.waitForErrors("Ctrl-C again ends at once")
      running.send(SIGINT)
      let result = running.finish()
      #expect(result.status == 130, "\(result.errors)")
      ended = result
      try FileManager.default.removeItem(atPath: run.output("a"))
    }
    #expect(ended?.output.contains("stopped by ") == false)
  }

  @Test func refusesAnotherRun() throws {
    let run = try TinyRun(steps: 5)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    func refusal(_ overrides: [String]) throws -> String {
      let settings = overrides.flatMap { ["--set", $0] }
      let result = try BuiltTool.run(run.arguments("a", ["--resume"] + settings))
      #expect(result.status == 1)
      return result.errors
    }
    let shape = try refusal(["model.qFormer.width=32"])
    #expect(
      shape.contains("model.qFormer.width: the checkpoint has 16, now it is 32"), "\(shape)")
    let data = try refusal(["data.train.path=Data/demo/train.jsonl"])
    #expect(data.contains("data: the checkpoint was made with"), "\(data)")
    #expect(data.contains("resume.allowChangedData=true"))
    let layer = try refusal(["vision.finalNorm=false"])
    #expect(layer.contains("vision.finalNorm: the checkpoint has"), "\(layer)")
    let precision = try refusal(["vision.precision=bf16"])
    #expect(precision.contains("vision.precision: the checkpoint has"), "\(precision)")
    let seed = try refusal(["seed=4"])
    #expect(seed.contains("seed: the checkpoint has 3, now it is 4"))
    let allowed = try BuiltTool.run(
      run.arguments(
        "a",
        [
          "--resume", "--set", "data.train.path=Data/demo/train.jsonl", "--set",
          "resume.allowChangedData=true", "--set", "training.steps=6",
        ]))
    #expect(allowed.status == 0, "\(allowed.errors)")
    #expect(allowed.output.contains("the data has changed"))
  }

  @Test func aFolderBelongsToOneRun() throws {
    let run = try TinyRun(steps: 100_000)
    let first = try BuiltTool.start(run.arguments("a"))
    first.waitForOutput("saved")
    let second = try BuiltTool.run(run.arguments("a", ["--resume"]))
    #expect(second.status == 1)
    #expect(second.errors.contains(run.output("a")), "\(second.errors)")
    first.send(SIGKILL)
    _ = first.finish()
    // The lock ends with its holder.
    let third = try BuiltTool.run(run.arguments("a", ["--resume", "--max-steps", "1"]))
    #expect(third.status == 0, "\(third.errors)")
    #expect(third.output.contains("resumed from"))
  }

  @Test func aFinishedFolderIsNotOverwritten() throws {
    let run = try TinyRun(steps: 5)
    #expect(try BuiltTool.run(run.arguments("a")).status == 0)
    let again = try BuiltTool.run(run.arguments("a"))
    #expect(again.status == 1)
    #expect(again.errors.contains("--resume"), "\(again.errors)")
  }

  @Test func unwritableFolderIsAnError() throws {
    let run = try TinyRun(steps: 5)
    let result = try BuiltTool.run(
      ["stage1", "--config", run.recipe.path, "--output", "/proc/blip2-train/run"])
    #expect(result.status == 1)
    #expect(result.errors.hasPrefix("error: "), "\(result.errors)")
    #expect(result.errors.contains("/proc/blip2-train"))
  }

  private func metricSteps(_ output: String) throws -> [Int] {
    let text = try String(contentsOfFile: output + "/metrics.jsonl", encoding: .utf8)
    return try text.split(separator: "\n").map { line in
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return try #require(object?["step"] as? Int)
    }
  }
}
