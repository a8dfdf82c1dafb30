import Configuration
import Foundation
import Objectives
import TestSupport
import Testing

@testable import Recipes
@testable import Training

/// Several processes, threads here, train as one with all their pairs.
@Suite(.timeLimit(.minutes(10))) struct ProcessesTests {
  /// Trains with so many threads, in micro-batches of so many pairs each.
  /// - Returns: How the run ended in each.
  private static func train<R: Recipe>(
    _ recipe: R.Type, _ configuration: R.Configuration, threads: Int, pairs: Int, output: String
  ) -> [Result<RunOutcome, any Error>] {
    var configuration = configuration
    (configuration.training.batchSize, configuration.output) = (pairs, output)
    nonisolated(unsafe) let own = configuration
    return inThreads(threads) { communicator in
      Result {
        try Trainer(
          R(own, reading: Set(DataPart.allCases)), communicator: communicator, isTerminal: false,
          isQuiet: true
        ).train(resume: .none)
      }
    }
  }

  private static func expectSame<R: Recipe>(
    _ recipe: R.Type, _ configuration: R.Configuration, in folder: TemporaryFolder
  ) throws {
    let whole = train(R.self, configuration, threads: 1, pairs: 12, output: folder.path("1"))
    #expect(try whole.map { try $0.get() } == [.finished])
    for threads in [2, 3] {
      let output = folder.path("\(threads)")
      let parts = train(
        R.self, configuration, threads: threads, pairs: 12 / threads, output: output)
      #expect(
        try parts.map { try $0.get() } == Array(repeating: .finished, count: threads))
      let difference = try MetricsDifference(folder.path("1"), output)
      #expect(difference.lines == configuration.training.steps)
      #expect(difference.largest < 1e-5, "\(threads): \(difference)")
    }
  }

  /// With dropout, drawn negatives, accumulation, a trained encoder; by chunks; and with held-out pairs, which
  /// one process judges.
  @Test(arguments: [[], ["training.chunkSize=3", "data.validation.path=Data/demo/heldout.jsonl"]])
  func stageOne(_ settings: [String]) throws {
    let run = try TinyRun(steps: 8)
    let more = ["validation.every=5", "validation.rerank=2"]
    try Self.expectSame(
      StageOneRecipe.self, run.configuration(settings + more), in: run.folder)
  }

  @Test(arguments: ["opt", "t5"]) func stageTwo(_ family: String) throws {
    let run = try TinyStageTwo(family: family)
    var configuration = try run.configuration()
    configuration.training.steps = 6
    try Self.expectSame(StageTwoRecipe.self, configuration, in: run.folder)
  }

  @Test func languageModel() throws {
    let folder = try TemporaryFolder()
    let demo = Goldens.repository.appendingPathComponent("Data/demo")
    let model = folder.url.appendingPathComponent("model")
    try FileManager.default.createDirectory(at: model, withIntermediateDirectories: true)
    for file in ["vocab.json", "merges.txt", "tokenizer_config.json"] {
      try FileManager.default.copyItem(
        at: demo.appendingPathComponent("opt/\(file)"), to: model.appendingPathComponent(file))
    }
    var configuration = LanguageModelRecipe.Configuration()
    configuration.folder = model.path
    configuration.texts.path = demo.appendingPathComponent("heldout.jsonl").path
    (configuration.model.width, configuration.model.layers, configuration.model.heads) = (16, 1, 2)
    (configuration.training.steps, configuration.log.every) = (4, 1)
    configuration.training.learningRate.warmupSteps = 1
    try Self.expectSame(LanguageModelRecipe.self, configuration, in: folder)
  }

  /// Where the first cannot have the folder, all end, and it alone says why.
  @Test func oneFailureEndsAll() throws {
    let run = try TinyRun(steps: 2)
    try FileManager.default.createDirectory(
      atPath: run.output("taken"), withIntermediateDirectories: true)
    try run.folder.write("mine", to: "taken/notes.txt")
    let endings = Self.train(
      StageOneRecipe.self, try run.configuration(), threads: 3, pairs: 4,
      output: run.output("taken"))
    #expect(throws: KeyedError.self) { try endings[0].get() }
    for ending in endings.dropFirst() {
      #expect(throws: FailureElsewhere.self) { try ending.get() }
    }
  }
}

/// The largest relative difference between the losses and gradients of two runs.
struct MetricsDifference: CustomStringConvertible {
  private(set) var lines = 0
  private(set) var largest = 0.0
  private(set) var description = "none"

  init(_ first: String, _ second: String) throws {
    let (first, second) = (try Self.steps(first), try Self.steps(second))
    lines = min(first.count, second.count)
    for (one, other) in zip(first, second) {
      for name in ["step", "itc", "itm", "itg", "lm", "gradientNorm"] {
        guard let one = one[name], let other = other[name] else { continue }
        let difference = abs(one - other) / max(abs(one), 1e-3)
        if difference <= largest { continue }
        (largest, description) = (difference, "\(name) \(one), \(other)")
      }
    }
  }

  private static func steps(_ output: String) throws -> [[String: Double]] {
    try String(contentsOfFile: output + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
      .compactMap { line in
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        guard let object, object["kind"] as? String == "train" else { return nil }
        return object.compactMapValues { $0 as? Double }
      }
  }
}

/// The program under a launcher: as one, whoever is told to stop, dies or hangs.
@Suite(
  .enabled(
    if: BuiltTool.canLaunch, "needs an mpirun that can start two processes; make setup installs it"),
  .timeLimit(.minutes(10)))
struct LaunchedTrainingTests {
  private static let oneThread = ["BLIP2_THREADS": "1"]

  private func running(
    _ run: TinyRun, _ output: String, _ more: [String] = []
  ) throws -> BuiltTool.Running {
    try BuiltTool.start(
      run.arguments(output, more), processes: 2, after: "echo $$ > \(run.output("pid"))-$rank",
      environment: Self.oneThread)
  }

  /// Waits until a run has come to its third step.
  /// - Returns: The number of its second process.
  private func secondProcess(_ run: TinyRun, _ running: BuiltTool.Running) throws -> pid_t {
    running.waitForOutput("step 3/")
    let text = try String(contentsOfFile: run.output("pid-1"), encoding: .utf8)
    return try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  /// Each checkpoint is gone on from by another number of processes, in the middle of an epoch too.
  @Test func anyNumberOfProcessesGoesOn() throws {
    let run = try TinyRun(steps: 14)
    let sixteen = ["--set", "training.batchSize=16"]
    let whole = try BuiltTool.run(run.arguments("whole", sixteen), environment: Self.oneThread)
    #expect(whole.status == 0, "\(whole.errors)")
    let first = try running(run, "parts", ["--max-steps", "4"]).finish()
    #expect(first.status == 0, "\(first.errors)")
    let second = try BuiltTool.run(
      run.arguments("parts", sixteen + ["--resume", "--max-steps", "9"]),
      environment: Self.oneThread)
    #expect(second.output.contains("2 processes then, 1 now; a step had 32 samples, now it has 32"))
    let third = try running(run, "parts", ["--resume"]).finish()
    #expect(third.status == 0, "\(third.errors)")
    #expect(third.output.contains("2 processes train together"))
    // Nobody else says anything.
    #expect(third.output.split(separator: "\n").count { $0.hasPrefix("done: ") } == 1)
    let difference = try MetricsDifference(run.output("whole"), run.output("parts"))
    #expect(difference.lines == 14)
    #expect(difference.largest < 1e-5, "\(difference)")
  }

  @Test func aSignalToOneEndsAllSaved() throws {
    let run = try TinyRun(steps: 100_000)
    let running = try running(run, "a", ["--set", "checkpoint.every=0"])
    kill(try secondProcess(run, running), SIGTERM)
    let result = running.finish()
    #expect(result.status == 128 + SIGTERM, "\(result.errors)")
    #expect(result.output.contains("stopped by SIGTERM; go on with --resume"), "\(result.output)")
    let saved = try FileManager.default.contentsOfDirectory(atPath: run.output("a"))
      .filter { $0.hasSuffix(".h5") }
    #expect(saved.count == 1)
  }

  @Test func whereOneDiesAllEndAndTheLastCheckpointIsWhole() throws {
    let run = try TinyRun(steps: 100_000)
    let running = try running(run, "a", ["--set", "checkpoint.every=1"])
    kill(try secondProcess(run, running), SIGKILL)
    #expect(running.finish().status != 0)
    let resumed = try BuiltTool.run(
      run.arguments("a", ["--resume", "--set", "training.batchSize=16", "--max-steps", "1"]),
      environment: Self.oneThread)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.output.contains("resumed from"))
  }

  @Test func whereOneHangsTheOthersEnd() throws {
    let run = try TinyRun(steps: 100_000)
    let running = try running(run, "a", ["--set", "distributed.timeout=5"])
    let second = try secondProcess(run, running)
    kill(second, SIGSTOP)
    let result = running.finish()
    kill(second, SIGKILL)
    #expect(result.status == 75, "\(result.errors)")
    #expect(result.errors.contains(#/error: process 1 on \S+ has been silent for 5 s/#))
  }

  @Test func oneSaysWhyAllEnd() throws {
    let run = try TinyRun(steps: 2)
    #expect(try running(run, "a").finish().status == 0)
    let again = try running(run, "a").finish()
    #expect(again.status == 1)
    let errors = again.errorLines.filter { $0.hasPrefix("error: ") }
    #expect(errors.count == 1 && errors[0].contains("holds a run already"), "\(again.errors)")
  }

  @Test func whoeverWouldTrainSomethingElseIsRefused() throws {
    let run = try TinyRun(steps: 2)
    let result = try BuiltTool.run(
      run.arguments("a"), processes: 2,
      after: "set -- \"$@\" --set data.maximumTextLength=$((20 + rank))",
      environment: Self.oneThread)
    #expect(result.status == 1)
    #expect(result.errors.contains(#/error: process 1 on \S+: this is not what process 0 on /#))
    #expect(result.errors.contains("data.maximumTextLength: 20 there, 21 here"), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: run.checkpoint("a", step: 2)))
  }
}
