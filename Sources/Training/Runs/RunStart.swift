import Checkpointing
import Configuration
import Datasets
import Foundation
import Layers
import Tensors
import WeightFiles

/// What the configurations of all stages have in common.
protocol RunConfiguration: Codable {
  /// The folder that checkpoints and `metrics.jsonl` are written to.
  var output: String { get }
  var seed: UInt64 { get }
  /// The version of the recipe's keys.
  var version: Int { get }
  /// The precision of the linear maps' products.
  var precision: ProductPrecision { get }
  var vision: VisionConfiguration { get }
  var data: DataConfiguration { get }
  var training: TrainingConfiguration { get }
  /// Steps between validations; 0 for none but the last.
  var validationEvery: Int { get }
  var checkpoint: CheckpointConfiguration { get }
  var log: LogConfiguration { get }
  var resume: ResumeConfiguration { get }

  init()

  /// Checks what the types cannot say.
  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws
}

/// A stage's part in the training loop, with what it trains and reads.
protocol StageTask: TrainingTask {
  /// All parameters that the run trains, by name.
  var trainedParameters: [NamedParameter] { get }
  var tower: VisionTower { get }
  var data: RunData { get }
}

/// A stage as the start of a run sees it.
protocol TrainingRun {
  associatedtype Configuration: RunConfiguration
  associatedtype Task: StageTask

  /// What checkpoints call the stage.
  static var kind: String { get }
  var configuration: Configuration { get }
  var task: Task { get }

  /// Digests of what the run reads besides pictures and image encoder, by name.
  func fingerprints() throws -> [String: String]
  /// Gives a new run its starting values.
  func initialise(_ progress: ProgressReporter) throws
  /// The memory and disk that the run is going to want.
  var reckoning: Reckoning { get }
  /// What the run is about, beside what all runs say.
  func describe(_ progress: ProgressReporter)
}

/// The start of a run, new or resumed: its folder, its identity and its state; then it trains.
struct RunStart<Run: TrainingRun> {
  private let run: Run
  private let progress: ProgressReporter

  private var configuration: Run.Configuration { run.configuration }
  private var task: Run.Task { run.task }

  /// - Parameter isTerminal: Whether progress may renew its line.
  init(_ run: Run, isTerminal: Bool) {
    self.run = run
    progress = ProgressReporter(
      totalSteps: run.configuration.training.steps, logEvery: run.configuration.log.every,
      isTerminal: isTerminal)
  }

  /// - Parameters:
  ///   - resume: What to go on from.
  ///   - maximumSteps: A step to stop at, after a checkpoint; the schedule stays as it is.
  ///   - force: Whether the output folder may hold other things.
  func train(resume: ResumeRequest, maximumSteps: Int?, force: Bool) throws -> RunOutcome {
    guard let trainingSet = task.data.train else {
      preconditionFailure("a run without training data cannot train")
    }
    if resume != .outputFolder { try RunFolder.check(configuration.output, force: force) }
    let url = URL(fileURLWithPath: configuration.output, isDirectory: true)
    let folder = try CheckpointFolder(creating: url)
    let lock = try folder.lock()
    try folder.removeStaleTemporaryFiles(holding: lock)
    let reckoning = run.reckoning
    if let warning = try reckoning.checkMemory(.now) { progress.say(warning) }
    try reckoning.checkDisk(of: url, present: try folder.entries().count)
    let identity = try identity(trainingSet)
    let optimizer = AdamW(
      configuration.training.adamW, parameters: task.trainedParameters,
      rateScale: { [configuration] name in
        name.hasPrefix("vision.") ? configuration.vision.learningRateScale : 1
      })
    let state =
      try resumed(resume, folder: folder, identity: identity, optimizer)
      ?? begin(folder: folder)
    describe(trainingSet, optimizer)
    try task.data.touchSources(tower: task.tower)
    task.data.features?.report = progress.say
    let loader: BatchLoader
    do {
      loader = try task.data.trainingLoader(
        trainingSet, tower: task.tower, batchSize: configuration.training.batchSize,
        startingAt: state.position)
      // Before the first step rather than in the middle of the run.
      _ = try task.data.validation.map {
        try task.data.evaluationContent($0, tower: task.tower)
      }
    } catch let interruption as Interrupted {
      return .stopped(signal: interruption.signal, isSaved: state.step > 0)
    }
    if state.step == 0 {
      try RunFolder.setAsideNumbers(in: url, say: progress.say)
    } else {
      try setLaterAside(in: folder, after: state.step)
    }
    let saving = CheckpointSaving(
      TrainingCheckpoints(folder: folder, identity: identity), configuration.checkpoint, optimizer,
      lock: lock, step: state.step, say: progress.say)
    let trainer = Trainer(
      task: task, training: configuration.training,
      sections: .init(validationEvery: configuration.validationEvery, log: configuration.log),
      loader: loader, optimizer: optimizer, saving: saving,
      metrics: try MetricsLog(
        folder: url, continuingFrom: state.step, isValidated: state.validatedStep == state.step),
      tensorBoard: configuration.log.tensorBoard
        ? try TensorBoardLog(output: url, continuingFrom: state.step) : nil,
      progress: progress, state: state)
    return try trainer.run(maximumSteps: maximumSteps)
  }

  private func identity(_ dataset: any CaptionSource) throws -> RunIdentity {
    var fingerprints = try run.fingerprints()
    fingerprints["data"] = dataset.fingerprint()
    fingerprints["vision"] = task.tower.fingerprint
    return RunIdentity(
      kind: Run.kind, configuration: try ConfigurationLoader.yaml(configuration),
      seed: configuration.seed, fingerprints: fingerprints)
  }

  /// What the run is about, once at its start.
  private func describe(
    _ dataset: any CaptionSource, _ optimizer: AdamW
  ) {
    let values = optimizer.entries.reduce(0) { $0 + $1.firstMoment.count }
    let encoder = configuration.vision.path ?? "new \(configuration.vision.new.family.rawValue)"
    progress.say(
      "image encoder: \(encoder), \(configuration.vision.frozen ? "frozen" : "trained"), "
        + task.tower.summary)
    run.describe(progress)
    progress.say(String(format: "trained parameters: %.2f M", Double(values) / 1e6))
    let pairs = dataset.pairCount.map { "\($0) pairs, " } ?? ""
    let heldOut = task.data.validation.map { ", \($0.pairCount ?? $0.imageCount) held out" } ?? ""
    progress.say("data: \(pairs)\(dataset.imageCount) pictures\(heldOut)")
    if let mixture = dataset as? SourceMixture {
      for (part, places) in zip(configuration.data.train.mix, mixture.places) {
        progress.say("  \(part.path): \(places) of an epoch's \(mixture.count) samples")
      }
    }
    if task.tower.readsFeatures, task.tower.views == 1, configuration.data.augmentation.isOn {
      progress.say(
        "  note: one view of a picture is kept, the whole one: data.augmentation does nothing; "
          + "vision.views adds augmented ones")
    }
    for finding in dataset.findings where !finding.examples.isEmpty {
      let more = finding.count > finding.examples.count ? ", …" : ""
      progress.say(
        "  \(finding.kind.rawValue): \(finding.count) ("
          + finding.examples.joined(separator: ", ") + more + ")")
    }
  }

  // MARK: Starting

  private func begin(folder: CheckpointFolder) throws -> TrainingState {
    if let newest = try folder.entries().last {
      throw RunError.folderHasRun(
        folder: configuration.output, newest: newest.url.lastPathComponent)
    }
    try run.initialise(progress)
    return TrainingState()
  }

  // MARK: Going on

  private func resumed(
    _ request: ResumeRequest, folder: CheckpointFolder, identity: RunIdentity, _ optimizer: AdamW
  ) throws -> TrainingState? {
    let path: String
    switch request {
    case .none: return nil
    case .outputFolder: path = configuration.output
    case .path(let given): path = given
    }
    let file = try CheckpointFile.open(fileOrFolder: path) { progress.say($0) }
    try file.checkCounters()
    let earlier = try file.configuration(Run.Configuration.self, kind: Run.kind)
    let differences = try KeyDifference.between(
      earlier, configuration, like: Run.Configuration())
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
