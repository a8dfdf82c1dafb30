import Checkpointing
import Configuration
import Datasets
import Files
import Foundation
import Objectives
import Reporting
import Tensors

/// Owns a run of a recipe, new or resumed: its folder, its identity and its state; then it trains.
public struct Trainer<R: Recipe> {
  let recipe: R
  let progress: ProgressReporter
  let communicator: any Communicator

  var configuration: R.Configuration { recipe.configuration }

  /// - Parameters:
  ///   - communicator: The processes that train together; the first speaks for all, and has the folder.
  ///   - isTerminal: Whether progress may renew its line, where no launcher hands it on.
  ///   - isQuiet: Whether only warnings are shown.
  public init(
    _ recipe: R, communicator: any Communicator = SingleProcess(),
    isTerminal: Bool = isatty(STDOUT_FILENO) == 1, isQuiet: Bool = false
  ) {
    self.recipe = recipe
    self.communicator = communicator
    progress = ProgressReporter(
      totalSteps: recipe.configuration.training.steps,
      isTerminal: isTerminal && communicator.count == 1,
      isQuiet: isQuiet || !communicator.isFirst)
  }

  /// The run's folder, which the first process has.
  private struct Place {
    let folder: CheckpointFolder
    let lock: FolderLock
  }

  /// Several processes call it together, and end alike.
  /// - Parameters:
  ///   - resume: What to go on from.
  ///   - maximumSteps: A step to stop at, after a checkpoint; the schedule stays as it is.
  ///   - force: Whether the output folder may hold other things.
  /// - Throws: What went wrong; ``FailureElsewhere`` where that was another process.
  public func train(
    resume: ResumeRequest, maximumSteps: Int? = nil, force: Bool = false
  ) throws -> RunOutcome {
    let (place, begun) = try communicator.agreed {
      let place = communicator.isFirst ? try taken(resume, force: force) : nil
      try checkRoom(on: place?.folder.url, present: place?.folder.entries().count ?? 0)
      return (place, try start(resume, folder: place?.folder))
    }
    try requireSame(begun.identity, begun.state, begun.optimizer)
    if communicator.isFirst { recipe.describe(progress) }
    let batches: any BatchStream
    do {
      batches = try self.batches(from: begun.state.position)
    } catch let interruption as Interrupted {
      return .stopped(signal: interruption.signal, isSaved: begun.state.step > 0)
    }
    let loop = try communicator.agreed {
      if let place { try clear(place.folder, begun.identity, begun.state) }
      return try self.loop(in: place, batches, begun)
    }
    let outcome = try loop.run(maximumSteps: maximumSteps)
    if outcome == .finished {
      try communicator.agreed { if communicator.isFirst { try recipe.finish(progress) } }
    }
    return outcome
  }

  /// Takes the output folder for this run.
  private func taken(_ resume: ResumeRequest, force: Bool) throws -> Place {
    try checkOutput(resume, force: force)
    let url = URL(fileURLWithPath: configuration.output, isDirectory: true)
    let folder = try CheckpointFolder(creating: url)
    let lock = try folder.lock()
    try folder.removeStaleTemporaryFiles(holding: lock)
    return Place(folder: folder, lock: lock)
  }

  /// The own share of all batches from a place on. The first process makes what is kept, such as features,
  /// before the others look for it.
  func batches(from position: LoaderPosition) throws -> any BatchStream {
    let share = LoaderShare(rank: communicator.rank, of: communicator.count)
    func own() throws -> any BatchStream {
      try recipe.batches(from: position, share: share, progress)
    }
    let first = try communicator.agreed { communicator.isFirst ? try own() : nil }
    return try communicator.agreed { try first ?? own() }
  }

  /// Puts away what an earlier run, or this one's later steps, left in the folder, and notes the recipe.
  private func clear(
    _ folder: CheckpointFolder, _ identity: RunIdentity, _ state: TrainingState
  ) throws {
    if state.step == 0 {
      try RunFolder.setAsideNumbers(in: folder.url, say: progress.say)
    } else {
      try setLaterAside(in: folder, after: state.step)
    }
    RunFolder.write(recipe: identity.configuration, to: folder.url, say: progress.say)
  }

  /// The loop; in the first process, with its logs in the run's folder.
  private func loop(
    in place: Place?, _ batches: any BatchStream, _ begun: Beginning
  ) throws -> TrainingLoop<R> {
    func loop(_ saving: CheckpointSaving? = nil, _ log: RunLog? = nil) -> TrainingLoop<R> {
      TrainingLoop(
        recipe, batches: batches, optimizer: begun.optimizer, saving: saving, log: log,
        progress: progress, state: begun.state)
    }
    guard let place else { return loop() }
    let (folder, state) = (place.folder.url, begun.state)
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
    let saving = CheckpointSaving(
      TrainingCheckpoints(folder: place.folder, identity: begun.identity),
      configuration.checkpoint, lock: place.lock, step: state.step, say: progress.say)
    return loop(saving, log)
  }

  // MARK: Starting

  /// Refuses an output folder that holds other things than a run's, where none is gone on with there.
  func checkOutput(_ resume: ResumeRequest, force: Bool) throws {
    if resume.path(outputFolder: configuration.output) != configuration.output {
      try RunFolder.check(configuration.output, force: force)
    }
  }

  /// Holds memory and disk against what the run is going to want.
  /// - Parameters:
  ///   - folder: One on the disk that checkpoints go to; nil in a process that saves none.
  ///   - present: Checkpoints of the run that lie there already.
  func checkRoom(on folder: URL?, present: Int) throws {
    let reckoning = recipe.reckoning
    if let warning = try reckoning.checkMemory(.now) { progress.say(warning) }
    if let folder { try reckoning.checkDisk(of: folder, present: present) }
  }

  /// What a run begins with.
  typealias Beginning = (identity: RunIdentity, optimizer: AdamW, state: TrainingState)

  /// The run's identity, its optimiser, and the state that it begins from or goes on with.
  /// - Parameter folder: The output folder; nil where it is not there yet, or another process has it.
  func start(_ resume: ResumeRequest, folder: CheckpointFolder?) throws -> Beginning {
    for oddity in configuration.training.oddities { progress.say("warning: \(oddity)") }
    let identity = RunIdentity(
      kind: R.name, configuration: try ConfigurationLoader.yaml(configuration),
      seed: configuration.seed, fingerprints: try recipe.fingerprints())
    let rateScales = recipe.model.rateScales
    let optimizer = AdamW(
      configuration.training.adamW, parameters: recipe.model.trainedParameters,
      communicator: communicator, rateScale: { rateScales[ObjectIdentifier($0)] ?? 1 })
    let state =
      try resumed(resume, folder: folder, identity: identity, optimizer)
      ?? begin(folder: folder)
    return (identity, optimizer, state)
  }

  private func begin(folder: CheckpointFolder?) throws -> TrainingState {
    if let newest = try folder?.entries().last {
      throw RunError.folderHasRun(
        folder: configuration.output, newest: newest.url.lastPathComponent)
    }
    try recipe.initialise(progress)
    return TrainingState()
  }

  // MARK: Going on

  private func resumed(
    _ request: ResumeRequest, folder: CheckpointFolder?, identity: RunIdentity, _ optimizer: AdamW
  ) throws -> TrainingState? {
    guard let path = request.path(outputFolder: configuration.output) else { return nil }
    if PublicModelPath.leadsToModel(path) { throw RunError.publicModel(path: path) }
    let file = try CheckpointFile.open(fileOrFolder: path, isResume: true) { progress.say($0) }
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
        "  note: \(Quantity.of(Int(threads), "thread")) then, \(Parallel.threadCount) now: products are "
          + "cut up otherwise, so last bits will differ from a run that was not interrupted")
    }
    noteProcesses(of: file, earlier.training)
    for change in differences where change.resume != .free {
      progress.say("  changed: \(change.line)")
    }
    if let best = state.best, differences.contains(where: { $0.resume == .scores }) {
      progress.say(
        "  the best so far, step \(best.step), was evaluated otherwise: the best is sought anew")
      state.best = nil
    }
    return state
  }

  /// Says that as many samples make up a step no more, where there are as many processes no more.
  private func noteProcesses(of file: CheckpointFile, _ earlier: TrainingConfiguration) {
    let (then, now) = (file.metadata.counters["processes"].map { Int($0) } ?? 1, communicator.count)
    if then == now { return }
    func samples(_ training: TrainingConfiguration, _ processes: Int) -> Int {
      training.batchSize * training.accumulation * processes
    }
    progress.say(
      "  note: \(Quantity.of(then, "process")) then, \(now) now; a step had "
        + "\(samples(earlier, then)) samples, now it has \(samples(configuration.training, now))")
  }

  /// Makes sure that the output folder holds no other run's checkpoints.
  private func refuseOthers(
    in folder: CheckpointFolder?, toGoOnFrom file: CheckpointFile
  ) throws {
    guard let folder else { return }
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
