import ArgumentParser
import Foundation
import Training

/// The options of every training command.
struct TrainingOptions: ParsableArguments {
  @Option(help: "The recipe. Without it, the demo's is taken.", completion: .file())
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

  @Flag(help: "Write into an output folder that holds other things than a run's.")
  var force = false

  func validate() throws {
    if output?.isEmpty == true {
      throw ValidationError("--output: expected a folder, found nothing")
    }
    if let maxSteps, maxSteps < 1 {
      throw ValidationError("--max-steps: expected at least 1, found \(maxSteps)")
    }
  }

  /// The recipe, or the demo's, which is then named.
  func recipe(demo: String) throws -> Recipe {
    let recipe = try Recipe(given: config, demo: demo)
    if config == nil { print("no --config: taking the demo's recipe, \(recipe.path)") }
    return recipe
  }

  var resumeRequest: ResumeRequest {
    guard let resume else { return .none }
    return resume.isEmpty ? .outputFolder : .path(resume)
  }

  /// Says how a run ended, and leaves with its exit code.
  static func report(_ outcome: RunOutcome, output: String) throws {
    switch outcome {
    case .finished:
      print("done: \(output)")
    case .paused:
      print("stopped at --max-steps; go on with --resume")
    case .stopped(let signal, let isSaved):
      print(
        "stopped by signal \(signal) (\(StopRequest.name(of: signal)))"
          + (isSaved ? "; go on with --resume" : ""))
      throw ExitCode(128 + signal)
    }
  }
}
