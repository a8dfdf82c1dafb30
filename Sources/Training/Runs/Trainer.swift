import Checkpointing
import Configuration
import Datasets
import Files
import Foundation
import Reporting
import Tensors

/// Owns a run of a recipe, new or resumed: its folder, its identity and its state; then it trains.
public struct Trainer<R: Recipe> {
  private let recipe: R
  private let progress: ProgressReporter

  private var configuration: R.Configuration { recipe.configuration }

  /// - Parameters:
  ///   - isTerminal: Whether progress may renew its line.
  ///   - isQuiet: Whether only warnings are shown.
  public init(
    _ recipe: R, isTerminal: Bool = isatty(STDOUT_FILENO) == 1, isQuiet: Bool = false
  ) {
    self.recipe = recipe
    progress = ProgressReporter(
      totalSteps: recipe.configuration.training.steps, isTerminal: isTerminal,
      isQuiet: isQuiet)
  }

  /// - Parameters:
  ///   - resume: What to go on from.
  ///   - maximumSteps: A step to stop at, after a checkpoint; the schedule stays as it is.
  ///   - force: Whether the output folder may hold other things.
  public func train(
    resume: ResumeRequest, maximumSteps: Int? = nil, force: Bool = false
  ) throws -> RunOutcome {
    if resume.path(outputFolder: configuration.output) != configuration.output {
      try RunFolder.check(configuration.output, force: force)
    }
    let url = URL(fileURLWithPath: configuration.output, isDirectory: true)
    let folder = try CheckpointFolder(creating: url)
    let lock = try folder.lock()
    try folder.removeStaleTemporaryFiles(holding: lock)
    let reckoning = recipe.reckoning
    if let warning = try reckoning.checkMemory(.now) { progress.say(warning) }
    try reckoning.checkDisk(of: url, present: try folder.entries().count)
    let identity = RunIdentity(
      kind: R.name, configuration: try ConfigurationLoader.yaml(configuration),
      seed: configuration.seed, fingerprints: try recipe.fingerprints())
    let rateScales = recipe.model.rateScales
    let optimizer = AdamW(
      configuration.training.adamW, parameters: recipe.model.trainedParameters,
      rateScale: { rateScales[ObjectIdentifier($0)] ?? 1 })
    let state =
      try resumed(resume, folder: folder, identity: identity, optimizer)
      ?? begin(folder: folder)
    recipe.describe(progress)
    let batches: any BatchStream
    do {
      batches = try recipe.batches(from: state.position, progress)
    } catch let interruption as Interrupted {
      return .stopped(signal: interruption.signal, isSaved: state.step > 0)
    }
    if state.step == 0 {
      try RunFolder.setAsideNumbers(in: url, say: progress.say)
    } else {
      try setLaterAside(in: folder, after: state.step)
    }
    RunFolder.write(recipe: identity.configuration, to: url, say: progress.say)
    let saving = CheckpointSaving(
      TrainingCheckpoints(folder: folder, identity: identity), configuration.checkpoint, optimizer,
      lock: lock, step: state.step, say: progress.say)
    let outcome = try loop(in: url, batches, optimizer, saving, from: state)
      .run(maximumSteps: maximumSteps)
    if outcome == .finished { try recipe.finish(progress) }
    return outcome
  }

  /// The loop with its logs in the run's folder.
  private func loop(
    in folder: URL, _ batches: any BatchStream, _ optimizer: AdamW, _ saving: CheckpointSaving,
    from state: TrainingState
  ) throws -> TrainingLoop<R> {
    let transcript = folder.appendingPathComponent(RunFolder.transcriptName).path
    // Where the program's own output goes there already, each line would come twice.
    if !RunFolder.isOutputStream(transcript) {
      progress.record(in: try GrowingFile(transcript))
    }
    let log = RunLog(
      metrics: try MetricsLog(
        folder: folder, continuingFrom: state.step, isValidated: state.validatedStep == state.step),
      tensorBoard: configuration.log.tensorBoard
        ? try TensorBoardLog(output: folder, continuingFrom: state.step) : nil,
      progress: progress)
    return TrainingLoop(
      recipe, batches: batches, optimizer: optimizer, saving: saving, log: log, state: state)
  }

  // MARK: Starting

  private func begin(folder: CheckpointFolder) throws -> TrainingState {
    if let newest = try folder.entries().last {
      throw RunError.folderHasRun(
        folder: configuration.output, newest: newest.url.lastPathComponent)
    }
    try recipe.initialise(progress)
    return TrainingState()
  }

  // MARK: Going on

  private func resumed(
    _ request: ResumeRequest, folder: CheckpointFolder, identity: RunIdentity, _ optimizer: AdamW
  ) throws -> TrainingState? {
    guard let path = request.path(outputFolder: configuration.output) else { return nil }
    if PublicModelPath.leadsToModel(path) { throw RunError.publicModel(path: path) }
    let file = try CheckpointFile.open(fileOrFolder: path) { progress.say($0) }
    if file.metadata.fingerprints[PublicModelPath.fingerprint] != nil {
      throw RunError.publicModel(path: path)
    }
    try file.checkCounters()
    let earlier = try file.configuration(of: R.self)
    let differences = try KeyDifference.between(
      earlier, configuration, like: R.Configuration())
    try file.check(
      identity, differences: differences.filter { $0.resume == .fixed }.map(\.line),
      allowChangedData: configuration.resume.allowChangedData)
    try refuseOthers(in: folder, toGoOnFrom: file)
    var state = try TrainingCheckpoints.restore(file, into: optimizer)
    if file.metadata.fingerprints["data"] != identity.fingerprints["data"] {
      progress.say(
        "the data has changed; its order begins anew at epoch \(state.position.epoch + 1)")
      state.position = LoaderPosition(epoch: state.position.epoch + 1)
    }
    progress.say("resumed from \(file.url.path) at step \(state.step)")
    if let threads = file.metadata.counters["threads"], Int(threads) != Parallel.threadCount {
      progress.say(
        "  note: \(Int(threads)) threads then, \(Parallel.threadCount) now: products are cut up "
          + "otherwise, so last bits will differ from a run that was not interrupted")
    }
    for change in differences where change.resume != .free {
      progress.say("  changed: \(change.line)")
    }
    if let best = state.best, differences.contains(where: { $0.resume == .scores }) {
      progress.say(
        "  the best so far, step \(best.step), was judged otherwise: the best is sought anew")
      state.best = nil
    }
    return state
  }

  /// Makes sure that the output folder holds no other run's checkpoints.
  private func refuseOthers(
    in folder: CheckpointFolder, toGoOnFrom file: CheckpointFile
  ) throws {
    let from = file.url.deletingLastPathComponent().resolvingSymlinksInPath().path
    if from != folder.url.resolvingSymlinksInPath().path {
      guard let newest = try folder.entries().last else { return }
      throw RunError.folderHasRun(
        folder: configuration.output, newest: newest.url.lastPathComponent)
    }
  }

  /// Makes sure that the folder holds no future but this run's, once nothing else can refuse it.
  private func setLaterAside(in folder: CheckpointFolder, after step: Int) throws {
    let later = try folder.setAside(after: step)
    for url in later {
      progress.say("set aside as \(url.lastPathComponent): the run goes on from an earlier step")
    }
    if !later.isEmpty { try RunFolder.copyNumbers(in: folder.url, say: progress.say) }
  }
}
