import Checkpointing
import Datasets
import Files
import Foundation
import Reporting

extension Trainer {
  /// Does all that a run does before its first step, and that step, and keeps nothing of it: no file is
  /// written and no folder made. Several processes call it together.
  /// - Parameters: As of `train`.
  /// - Throws: What `train` throws, and ``Interrupted`` where a signal asked for an end.
  public func dryRun(
    resume: ResumeRequest, maximumSteps: Int? = nil, force: Bool = false
  ) throws {
    progress.say("dry run: nothing is written to \(configuration.output)")
    let begun = try communicator.agreed { try dryStart(resume, force: force) }
    try requireSame(begun.identity, begun.state, begun.optimizer)
    if communicator.isFirst { recipe.describe(progress) }
    recipe.keepNothing()
    let state = begun.state
    let batches = try self.batches(from: state.position)
    defer { batches.stop() }
    let steps = configuration.training.steps
    let left = min(steps, maximumSteps ?? steps) - state.step
    guard left > 0 else {
      return progress.say("no step is left: the run stands at step \(state.step)")
    }
    try takeStep(after: state, begun.optimizer, from: batches, left: left)
  }

  private func dryStart(_ resume: ResumeRequest, force: Bool) throws -> Beginning {
    guard communicator.isFirst else {
      try checkRoom(on: nil, present: 0)
      return try start(resume, folder: nil)
    }
    try checkOutput(resume, force: force)
    let place = URL(fileURLWithPath: try OutputPath.place(ofFolder: configuration.output))
    let url = URL(fileURLWithPath: configuration.output, isDirectory: true)
    let folder = FileSystem.isFolder(url.path) ? try CheckpointFolder(existing: url) : nil
    try folder?.checkLock()
    let present = try folder?.entries().count ?? 0
    for line in recipe.reckoning.summary(.now, folder: place, present: present) {
      progress.say(line)
    }
    try checkRoom(on: place, present: present)
    return try start(resume, folder: folder)
  }

  private func takeStep(
    after begun: TrainingState, _ optimizer: AdamW, from batches: any BatchStream, left: Int
  ) throws {
    let begin = ContinuousClock.now
    var state = begun
    let step = try recipe.takeStep(after: &state, optimizer, from: batches, say: progress.say)
    let seconds = (ContinuousClock.now - begin).inSeconds
    if !step.isFinite {
      let problem = StepProblem(
        step, optimizer, frozenParameters: recipe.model.frozenParameters)
      progress.say("warning: a loss or gradient is not finite. \(problem)")
    }
    let losses = step.terms.map { String(format: "\($0.name) %.4f  ", $0.value) }.joined()
    progress.say(
      "step \(state.step)/\(configuration.training.steps), not kept: \(losses)"
        + String(
          format: "|g| %.3g; it took %.2f s, %.2f s of that waiting for data", step.norm, seconds,
          step.dataSeconds))
    progress.say(
      "steps to go: \(left), roughly \(ProgressReporter.duration(seconds * Double(left))) at this "
        + "rate without validations; a first step is slower than most")
  }
}
