import Autograd
import Checkpointing
import Datasets
import Foundation
import Layers
import Objectives
import Reporting
import Tensors

/// How a run ended.
public enum RunOutcome: Equatable {
  case finished
  /// At the step that the caller wanted it to stop at.
  case paused
  /// - isSaved: Whether there is anything to go on with.
  case stopped(signal: Int32, isSaved: Bool)
}

/// The training loop: steps, checkpoints, validations and what is said about them.
///
/// Several processes go through it together: what one decides, such as that it is time to save, it tells the
/// others.
final class TrainingLoop<R: Recipe> {
  private let recipe: R
  private let batches: any BatchStream
  private let optimizer: AdamW
  /// Of the first process, as is the log.
  private let saving: CheckpointSaving?
  private let log: RunLog?
  private let progress: ProgressReporter
  private(set) var state: TrainingState
  private var skippedInRow = 0
  /// Where this process is to stop.
  private var lastStep = 0
  /// Whether it has not made a step yet.
  private var isFirst = true
  private var lastProblem: StepProblem?
  private var spent = SpentTime()

  private var training: TrainingConfiguration { recipe.configuration.training }
  private var communicator: any Communicator { optimizer.communicator }

  init(
    _ recipe: R, batches: any BatchStream, optimizer: AdamW, saving: CheckpointSaving?,
    log: RunLog?, progress: ProgressReporter, state: TrainingState
  ) {
    self.recipe = recipe
    self.batches = batches
    self.optimizer = optimizer
    self.saving = saving
    self.log = log
    self.progress = progress
    self.state = state
  }

  /// Trains to the end of the schedule.
  /// - Parameter maximumSteps: A step to stop at earlier, after a checkpoint; the schedule stays.
  func run(maximumSteps: Int?) throws -> RunOutcome {
    lastStep = min(training.steps, maximumSteps ?? training.steps)
    defer {
      batches.stop()
      progress.finish()
    }
    do {
      return try loop()
    } catch {
      saveAfter(error)
      throw error
    }
  }

  private func loop() throws -> RunOutcome {
    // A run that was stopped while it judged held-out pairs makes up for it.
    if state.step > 0, isValidationDue, try validate() { try save() }
    while state.step < lastStep {
      do { try step() } catch is Interrupted { break }
      if state.step == lastStep { try refuseSkippedEnd() }
      // Judged first, so that what is saved says whether it is the best.
      let isBest = try isValidationDue && validate()
      if isBest || isSaveDue { try save() }
    }
    try saveFinally()
    let failure = saving.flatMap { log?.finish(in: $0.folder) }
    if let signal = communicator.stopSignal() {
      if state.step == 0 { progress.say("no step was whole yet: there is nothing to save") }
      return .stopped(signal: signal, isSaved: state.step > 0)
    }
    try communicator.agreed { if let failure { throw failure } }
    if state.step < training.steps { return .paused }
    let best = state.best.map { "; the best is step \($0.step), \(R.text(ofScore: $0.value))" }
    progress.say(
      "\(Quantity.of(state.step, "step")), "
        + "\(ProgressReporter.duration(progress.secondsSinceStart)) in this call"
        + (best ?? ""))
    return .finished
  }

  /// What was trained is not lost when data, validation or the log fail. Where training itself went
  /// wrong, or checkpoints cannot be written, there is nothing to save. The error itself is the one to
  /// be shown, whatever becomes of saving.
  private func saveAfter(_ error: any Error) {
    saving?.settle(waiting: true)
    // Whose error it is knows whether there is.
    if communicator.any(hasNothingToSave(after: error)) { return }
    do {
      try saveFinally()
    } catch {
      progress.say("warning: the state after step \(state.step) is not saved: \(error)")
    }
  }

  private func hasNothingToSave(after error: any Error) -> Bool {
    switch error as? RunError {
    case .notFinite, .notFiniteResult, .processesComputedDifferently: true
    default: error is CheckpointError
    }
  }

  // MARK: One step

  private func step() throws {
    let begin = ContinuousClock.now
    let step = try recipe.takeStep(after: &state, optimizer, from: batches, say: progress.say) {
      saving?.settle()
    }
    if step.isFinite {
      skippedInRow = 0
    } else {
      try noteNotFinite(step)
    }
    let seconds = (ContinuousClock.now - begin).inSeconds
    try communicator.agreed {
      if let saving, let log { try report(step, seconds: seconds, saving, log) }
    }
    Profile.markStep()
  }

  private func noteNotFinite(_ step: StepOutcome) throws {
    state.skippedSteps += 1
    skippedInRow += 1
    progress.say(
      "step \(state.step): a loss or gradient is not finite; no update was made "
        + "(\(skippedInRow) in a row)")
    lastProblem = StepProblem(step, optimizer, frozenParameters: recipe.model.frozenParameters)
    if skippedInRow >= training.stopAfterSkippedSteps {
      try communicator.agreed { throw notFinite() }
    }
  }

  /// A run that ends with steps that did nothing has not ended well.
  private func refuseSkippedEnd() throws {
    guard skippedInRow > 0 else { return }
    if lastProblem?.parameter == nil { try saveFinally() }
    try communicator.agreed { throw notFinite() }
  }

  private func notFinite() -> RunError {
    .notFinite(
      steps: skippedInRow, step: state.step,
      diagnosis: (lastProblem?.description ?? "")
        + " A lower training.learningRate.peak, a longer warm-up or training.clipNorm 1 help "
        + "where training diverged; resume from a checkpoint before step "
        + "\(state.step - skippedInRow + 1).")
  }

  private func report(
    _ step: StepOutcome, seconds: Double, _ saving: CheckpointSaving, _ log: RunLog
  ) throws {
    let samples = training.batchSize * training.accumulation * communicator.count
    let samplesPerSecond = progress.rate(of: samples, in: seconds)
    state.logged.add(step.terms)
    spent.add(step, seconds: seconds)
    let isLogged =
      state.step % recipe.configuration.log.every == 0 || state.step == training.steps
    let stays = isLogged || state.step == lastStep || isFirst
    isFirst = false
    // A line that stays has the means since the one before, as the log has.
    let losses = stays ? state.logged.means(of: step.terms) : step.terms
    progress.show(
      step: state.step, epoch: state.position.epoch + 1,
      samples: (count: samples, rate: samplesPerSecond),
      losses.map { String(format: "\($0.name) %.4f", $0.value) } + fields(of: step), stays: stays)
    if let failure = progress.failure { throw failure }
    guard isLogged else { return }
    state.logged = LossSums()
    log.write(
      step: state.step, kind: "train",
      losses + [
        ("total", losses.reduce(0) { $0 + $1.value }), ("learningRate", step.rate),
        ("gradientNorm", step.norm), ("samplesPerSecond", samplesPerSecond),
        ("epoch", Double(state.position.epoch)), ("skippedImages", Double(state.skippedImages)),
        ("skippedSteps", Double(state.skippedSteps)), ("seconds", progress.secondsSinceStart),
      ] + spent.values + [
        ("saveSeconds", saving.takeSeconds()), ("peakMemory", Double(SystemMemory.peakBytes)),
      ])
    spent = SpentTime()
  }

  /// What a step's line says behind the losses.
  private func fields(of step: StepOutcome) -> [String] {
    let skipped = [(state.skippedImages, "images"), (state.skippedSteps, "steps")]
    return [String(format: "lr %.2e", step.rate), String(format: "|g| %.3g", step.norm)]
      + skipped.filter { $0.0 > 0 }.map { "\($0.0) \($0.1) skipped" }
  }

  // MARK: Validation and checkpoints

  private var isValidationDue: Bool {
    if state.validatedStep == state.step { return false }
    if state.step == training.steps { return true }
    let every = recipe.configuration.validationEvery
    return every > 0 && state.step % every == 0
  }

  /// Judges held-out pairs in the first process, while the others wait.
  /// - Returns: Whether this is the best so far: it is kept, so it must be on disk.
  private func validate() throws -> Bool {
    let isBest = try communicator.agreed { try log.flatMap { try judge($0) } }
    let told = communicator.gathered([isBest == nil ? 0 : 1, isBest == true ? 1 : 0])[0]
    if told[0] == 1 { state.validatedStep = state.step }
    return told[1] == 1
  }

  /// - Returns: Whether this is the best so far; nil where nothing was judged.
  private func judge(_ log: RunLog) throws -> Bool? {
    let begin = ContinuousClock.now
    guard let report = try judgement() else { return nil }
    defer { Profile.mark("validation") }
    spent.validation += (ContinuousClock.now - begin).inSeconds
    state.validatedStep = state.step
    try log.write(step: state.step, report)
    let isSound = report.values.allSatisfy { $0.value.isFinite }
    guard isSound, report.score > state.best?.value ?? -.infinity else { return false }
    state.best = TrainingState.Best(step: state.step, value: report.score)
    // What was saved before is there before the best is told of.
    saving?.settle(waiting: true)
    progress.say("the best so far, by \(report.scoreName): \(R.text(ofScore: report.score))")
    return true
  }

  /// Nil where there are no held-out pairs, and where a signal asked for an end: the resumed run judges
  /// again.
  private func judgement() throws -> ValidationReport? {
    do {
      try StopRequest.check()
      let report = try KeyedError.naming("validation") { try recipe.validate() }
      // A signal cuts captions short that are being written.
      try StopRequest.check()
      return report
    } catch is Interrupted {
      return nil
    }
  }

  private var isSaveDue: Bool {
    communicator.any(
      saving?.isDue(after: state.step, isLast: state.step == lastStep) ?? false)
  }

  private func save() throws {
    // What is held for the save under way is let go of first.
    saving?.settle(waiting: true)
    let snapshot = try self.snapshot()
    try communicator.agreed {
      if let saving, let snapshot { try saving.save(state, snapshot) }
    }
    Profile.mark("checkpoint")
  }

  private func saveFinally() throws {
    saving?.settle(waiting: true)
    guard communicator.any(saving.map { $0.savedStep != state.step } ?? false) else { return }
    let snapshot = try self.snapshot()
    try communicator.agreed {
      if let saving, let snapshot { try saving.saveFinally(state, snapshot) }
    }
  }

  /// What is to be saved, at the first process.
  /// - Throws: `RunError.processesComputedDifferently`.
  private func snapshot() throws -> AdamW.Snapshot? {
    if communicator.count > 1 {
      let checksums = optimizer.checksums()
      try communicator.agreed {
        guard checksums[communicator.rank] != checksums[0] else { return }
        throw RunError.processesComputedDifferently(
          step: state.step, first: communicator.name(of: 0))
      }
    }
    return optimizer.snapshot()
  }
}

/// What time went to since the log's last line.
private struct SpentTime {
  private var steps = 0
  private var step = 0.0
  private var data = 0.0
  var validation = 0.0

  mutating func add(_ outcome: StepOutcome, seconds: Double) {
    steps += 1
    step += seconds
    data += outcome.dataSeconds
  }

  /// Means over the steps, and sums of what comes between them.
  var values: NamedValues {
    let count = Double(max(1, steps))
    return [
      ("stepSeconds", step / count), ("dataSeconds", data / count),
      ("validationSeconds", validation),
    ]
  }
}
