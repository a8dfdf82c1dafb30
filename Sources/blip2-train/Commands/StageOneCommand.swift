import ArgumentParser
import Foundation
import Training

/// `blip2-train stage1`.
struct StageOneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stage1",
    abstract: "Train a Q-Former on image-text pairs: contrast, matching and generation.",
    discussion: """
      Reads a YAML recipe, trains, validates by retrieval on held-out pairs, and writes \
      checkpoints (step-00000040.h5), metrics.jsonl and TensorBoard's event files (tensorboard/) to \
      the output folder.

      SIGINT and SIGTERM finish the step, save and leave with 130 or 143; a second SIGINT ends \
      at once. Exit codes: 0 done, 1 an error, 64 wrong usage.

      Examples:
        blip2-train stage1 --config Configs/demo/stage1.yaml
        blip2-train stage1 --config my.yaml --set training.batchSize=32 --output runs/a
        blip2-train stage1 --config my.yaml --output runs/a --resume
      """)

  @Option(help: "The recipe. Without it, the demo's is taken.")
  var config: String?

  @Option(help: "The output folder, in place of the recipe's.")
  var output: String?

  @Option(
    defaultAsFlag: "",
    help: """
      Go on from a checkpoint file, from the newest sound one of a folder, or, without a value, \
      of the output folder.
      """)
  var resume: String?

  @Option(help: "Stop at this step, after a checkpoint; the schedule stays as it is.")
  var maxSteps: Int?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: "Set a key of the recipe, as in training.batchSize=32. May be repeated.")
  var overrides: [String] = []

  func validate() throws {
    if let maxSteps, maxSteps < 1 {
      throw ValidationError("--max-steps: expected at least 1, found \(maxSteps)")
    }
  }

  func run() throws {
    let recipe = try Recipe(given: config, demo: "Configs/demo/stage1.yaml")
    if config == nil { print("no --config: taking the demo's recipe, \(recipe.path)") }
    var configuration = try ConfigurationLoader.load(
      StageOneRunConfiguration(), file: recipe.url, overrides: overrides)
    if let output { configuration.output = output }
    print(MachineReport.current().oneLine)
    StopRequest.listen()
    let run = try StageOneRun(configuration)
    let outcome = try run.train(resume: resumeRequest, maximumSteps: maxSteps)
    switch outcome {
    case .finished:
      print("done: \(configuration.output)")
    case .paused:
      print("stopped at --max-steps; go on with --resume")
    case .stopped(let signal):
      print("stopped by signal \(signal); go on with --resume")
      throw ExitCode(128 + signal)
    }
  }

  private var resumeRequest: ResumeRequest {
    guard let resume else { return .none }
    return resume.isEmpty ? .outputFolder : .path(resume)
  }
}
