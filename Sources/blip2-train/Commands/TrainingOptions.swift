import ArgumentParser
import Foundation
import Objectives
import Recipes
import Reporting
import Training

/// The options of every training command.
struct TrainingOptions: ParsableArguments {
  /// How a run may end, for the commands' help.
  static let endings = """
    Ctrl-C (SIGINT), SIGTERM, SIGHUP and the warnings of batch systems (SIGUSR1, SIGUSR2, SIGXCPU) end \
    the micro-batch or chunk under way, give the step up, save the last whole one and leave with 128 + \
    the signal's number; a second Ctrl-C ends at once. A signal that is ignored at the start, as by \
    nohup, stays ignored. Exit codes: 0 done, 1 an error, 64 wrong usage.

    Under mpirun or srun the processes train as one, with training.batchSize pairs each. A signal to \
    one ends all; where one falls silent, the others end with 75.

    metrics.jsonl has the numbers for programs, a JSON object a line.
    """

  @Option(
    help: "The recipe, a YAML file (required). blip2-train recipe NAME prints one to begin with.",
    completion: .file())
  var config: String?

  @Option(help: "The output folder, in place of the recipe's.")
  var output: String?

  @Option(
    defaultAsFlag: "",
    help: """
      Go on from a checkpoint file, from the newest sound one of a folder, or, without a value, \
      of the output folder. With auto, of the output folder if there is one there, else begin.
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

  @Flag(
    help: """
      Check all that a run checks, say what memory and disk it needs, take one step and say what the run \
      would take. Nothing is written.
      """)
  var dryRun = false

  @Flag(name: .shortAndLong, help: "Show warnings and errors alone; log.txt has the rest.")
  var quiet = false

  func validate() throws {
    if output?.isEmpty == true {
      throw ValidationError("--output: expected a folder, found nothing")
    }
    try ValidationError.check("--max-steps", maxSteps, in: 1...Int.max)
  }

  /// The recipe's file.
  /// - Parameter demo: The demo's, for the message where none is named.
  /// - Throws: `ValidationError`.
  func file(demo: String) throws -> URL {
    guard let config else {
      throw ValidationError("--config: expected a recipe, found nothing; the demo's is \(demo)")
    }
    return URL(fileURLWithPath: config)
  }

  /// Trains, as one of several processes where a launcher started them, and says how the run ended.
  /// - Parameters:
  ///   - settings: Keys that other options set.
  ///   - remark: Printed first.
  func train<R: Recipe>(
    _ recipe: R.Type, _ file: URL, settings: [String] = [], remark: String? = nil
  ) throws {
    var notes: [String] = []
    let configuration = Result {
      try Recipes.check(file, isOf: recipe, overrides: overrides)
      return try R.load(
        file, overrides: settings + overrides, output: output, resume: resumeRequest
      ) { notes.append($0) }
    }
    let distributed = (try? configuration.get())?.distributed ?? DistributedConfiguration()
    try LaunchedProcesses.together(timeout: distributed.timeout) { communicator in
      if let remark { print(remark) }
      if communicator.rank == 0 { notes.forEach(StandardError.write) }
      try train(R.self, communicator.agreed { try configuration.get() }, communicator)
    }
  }

  private func train<R: Recipe>(
    _ recipe: R.Type, _ configuration: R.Configuration, _ communicator: any Communicator
  ) throws {
    if quiet { WorkProgress.silence() } else { print(MachineReport.current().oneLine) }
    if communicator.count > 1, !quiet { print("\(communicator.count) processes train together") }
    StopRequest.listen(
      dryRun ? "stopping soon" : "giving the present step up and saving the last whole one")
    let recipe = try communicator.agreed {
      try R(configuration, reading: Set(DataPart.allCases))
    }
    let trainer = Trainer(recipe, communicator: communicator, isQuiet: quiet)
    if dryRun {
      return try trainer.dryRun(resume: resumeRequest, maximumSteps: maxSteps, force: force)
    }
    let outcome = try trainer.train(
      resume: resumeRequest, maximumSteps: maxSteps, force: force)
    try report(outcome, output: recipe.configuration.output, next: recipe.next)
  }

  var resumeRequest: ResumeRequest {
    guard let resume else { return .none }
    return switch resume {
    case "": .outputFolder
    case "auto": .ifThereIsOne
    default: .path(resume)
    }
  }

  /// Says how a run ended, and leaves with its exit code.
  private func report(
    _ outcome: RunOutcome, output: String, next: (String) -> String?
  ) throws {
    switch outcome {
    case .finished where quiet, .paused where quiet: break
    case .finished:
      print("done: \(output)")
      if let command = next(output) { print("next: \(command)") }
    case .paused:
      print("stopped at --max-steps; go on with --resume")
    case .stopped(let signal, let isSaved):
      print(
        "stopped by \(StopRequest.name(of: signal))"
          + (isSaved ? "; go on with --resume" : ""))
      throw ExitCode(128 + signal)
    }
  }
}
