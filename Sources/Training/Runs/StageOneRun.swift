import BLIP2
import Checkpointing
import Datasets
import Foundation
import Layers
import Tensors
import WeightFiles

/// A run of stage 1, from its configuration to its checkpoints.
public struct StageOneRun {
  public static let kind = "stage1"
  let configuration: StageOneRunConfiguration
  let task: StageOneTask

  /// Builds the model, the image encoder and the data sets; nothing is written yet.
  /// - Throws: `ConfigurationError` and the errors of the files that it reads.
  /// - Parameter parts: The data sets that are wanted.
  public init(
    _ configuration: StageOneRunConfiguration,
    reading parts: Set<RunData.Part> = Set(RunData.Part.allCases)
  ) throws {
    try configuration.check()
    self.configuration = configuration
    let tower = try VisionTower(configuration.vision, seed: configuration.seed)
    let data = try RunData(
      configuration.data, seed: configuration.seed,
      features: configuration.vision.cache
        ? FeatureCache(configuration.vision, tower: tower) : nil, reading: parts)
    let model = try StageOneRun.model(configuration, tower: tower, tokenizer: data.tokenizer)
    task = StageOneTask(configuration: configuration, model: model, tower: tower, data: data)
  }

  private static func model(
    _ configuration: StageOneRunConfiguration, tower: VisionTower, tokenizer: CaptionTokenizer
  ) throws -> StageOneModel {
    let words = tokenizer.tokenizer
    guard words.vocabularySize == configuration.model.qFormer.vocabularySize else {
      throw RunError.vocabularyMismatch(
        file: configuration.data.vocabulary, tokens: words.vocabularySize,
        model: configuration.model.qFormer.vocabularySize)
    }
    guard configuration.data.maximumTextLength <= configuration.model.qFormer.maximumPositions
    else {
      throw ConfigurationError.invalidValue(
        field: "data.maximumTextLength", found: String(configuration.data.maximumTextLength),
        expected: "at most model.qFormer.maximumPositions, "
          + "\(configuration.model.qFormer.maximumPositions)", advice: "")
    }
    return StageOneModel(
      configuration.model, visionWidth: tower.encoder.width,
      tokens: .init(separator: words.separatorId, decoder: words.decoderId),
      seed: configuration.seed)
  }

  /// Trains.
  /// - Parameters:
  ///   - resume: What to go on from.
  ///   - maximumSteps: A step to stop at, after a checkpoint; the schedule stays as it is.
  ///   - isTerminal: Whether progress may renew its line.
  public func train(
    resume: ResumeRequest, maximumSteps: Int? = nil, isTerminal: Bool = isatty(STDOUT_FILENO) == 1
  ) throws -> RunOutcome {
    guard let trainingSet = task.data.train else {
      preconditionFailure("a run without training data cannot train")
    }
    let progress = ProgressReporter(
      totalSteps: configuration.training.steps, logEvery: configuration.log.every,
      isTerminal: isTerminal)
    let url = URL(fileURLWithPath: configuration.output, isDirectory: true)
    let folder = try CheckpointFolder(creating: url)
    let lock = try folder.lock()
    try folder.removeStaleTemporaryFiles(holding: lock)
    let identity = try identity(trainingSet)
    let optimizer = AdamW(
      configuration.training.adamW, parameters: task.trainedParameters,
      rateScale: { [configuration] name in
        name.hasPrefix("vision.") ? configuration.vision.learningRateScale : 1
      })
    let state =
      try resumed(resume, folder: folder, identity: identity, optimizer, progress)
      ?? begin(folder: folder, progress)
    describe(trainingSet, progress, optimizer)
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
      return .stopped(signal: interruption.signal)
    }
    let trainer = Trainer(
      task: task, training: configuration.training,
      sections: .init(
        validation: configuration.validation, checkpoint: configuration.checkpoint,
        log: configuration.log), loader: loader, optimizer: optimizer,
      checkpoints: TrainingCheckpoints(folder: folder, identity: identity),
      metrics: try MetricsLog(
        folder: url, continuingFrom: state.step, isValidated: state.validatedStep == state.step),
      tensorBoard: configuration.log.tensorBoard
        ? try TensorBoardLog(output: url, continuingFrom: state.step) : nil,
      progress: progress, state: state)
    return try withExtendedLifetime(lock) { try trainer.run(maximumSteps: maximumSteps) }
  }

  private func identity(_ dataset: any CaptionSource) throws -> RunIdentity {
    var fingerprints = [
      "data": dataset.fingerprint(),
      "vocabulary": try Fingerprint.ofFile(URL(fileURLWithPath: configuration.data.vocabulary)),
    ]
    fingerprints["vision"] = task.tower.fingerprint
    return RunIdentity(
      kind: StageOneRun.kind, configuration: try ConfigurationLoader.yaml(configuration),
      seed: configuration.seed, fingerprints: fingerprints)
  }

  /// What the run is about, once at its start.
  private func describe(
    _ dataset: any CaptionSource, _ progress: ProgressReporter, _ optimizer: AdamW
  ) {
    let values = optimizer.entries.reduce(0) { $0 + $1.firstMoment.count }
    let encoder = configuration.vision.path ?? "new DINOv2"
    progress.say(
      "image encoder: \(encoder), \(configuration.vision.frozen ? "frozen" : "trained"), "
        + "\(task.tower.tokenCount) × \(task.tower.encoder.width) features at "
        + "\(task.tower.imageSize) px")
    progress.say(String(format: "trained parameters: %.2f M", Double(values) / 1e6))
    let pairs = dataset.pairCount.map { "\($0) pairs, " } ?? ""
    let heldOut = task.data.validation.map { ", \($0.pairCount ?? $0.imageCount) held out" } ?? ""
    progress.say("data: \(pairs)\(dataset.imageCount) pictures\(heldOut)")
    if let mixture = dataset as? SourceMixture {
      for (part, places) in zip(configuration.data.train.mix, mixture.places) {
        progress.say("  \(part.path): \(places) of an epoch's \(mixture.count) samples")
      }
    }
    if task.tower.readsFeatures, task.tower.cachedViews == 1, configuration.data.augmentation.isOn {
      progress.say(
        "  note: one view of a picture is kept, the whole one: data.augmentation does nothing; "
          + "vision.cachedViews adds augmented ones")
    }
    for finding in dataset.findings where !finding.examples.isEmpty {
      let more = finding.count > finding.examples.count ? ", …" : ""
      progress.say(
        "  \(finding.kind.rawValue): \(finding.count) ("
          + finding.examples.joined(separator: ", ") + more + ")")
    }
  }

  // MARK: Starting

  private func begin(folder: CheckpointFolder, _ progress: ProgressReporter) throws -> TrainingState
  {
    if let newest = try folder.entries().last {
      throw RunError.folderHasRun(
        folder: configuration.output, newest: newest.url.lastPathComponent)
    }
    if let path = configuration.initialise.bert {
      let report = try task.model.initialise(
        fromBERT: WeightFolder(URL(fileURLWithPath: path, isDirectory: true)))
      progress.say("initialised from BERT \(path)")
      say(report, progress)
    } else if let path = configuration.initialise.checkpoint {
      try initialise(fromCheckpoint: path, progress)
    } else {
      task.model.qFormer.copyTextFeedForwardsToQueries()
    }
    return TrainingState()
  }

  /// Takes what an earlier run trained; the optimiser and the schedule start afresh.
  private func initialise(fromCheckpoint path: String, _ progress: ProgressReporter) throws {
    let file = try CheckpointFile.open(fileOrFolder: path) { progress.say($0) }
    _ = try file.stageOneConfiguration()
    let stored = Set(file.parameterNames)
    let parameters = task.trainedParameters
    try file.load(into: parameters.filter { stored.contains($0.name) })
    progress.say("initialised from \(file.url.path) (step \(file.metadata.step))")
    let names = Set(parameters.map(\.name))
    say(
      .init(
        missing: parameters.map(\.name).filter { !stored.contains($0) },
        unused: stored.subtracting(names).sorted()), progress)
  }

  private func say(_ report: WeightFolder.LoadReport, _ progress: ProgressReporter) {
    let lists = [("keep their starting values", report.missing), ("were not used", report.unused)]
    for (text, names) in lists where !names.isEmpty {
      progress.say("  \(names.count) \(text): " + names.joined(separator: ", "))
    }
  }

  // MARK: Going on

  private func resumed(
    _ request: ResumeRequest, folder: CheckpointFolder, identity: RunIdentity, _ optimizer: AdamW,
    _ progress: ProgressReporter
  ) throws -> TrainingState? {
    let path: String
    switch request {
    case .none: return nil
    case .outputFolder: path = configuration.output
    case .path(let given): path = given
    }
    let file = try CheckpointFile.open(fileOrFolder: path) { progress.say($0) }
    let earlier = try file.stageOneConfiguration()
    let differences =
      try ConfigurationDifference.lines(earlier.model, configuration.model, under: "model")
      + ConfigurationDifference.lines(
        earlier.vision.function, configuration.vision.function, under: "vision")
    try file.check(
      identity, modelDifferences: differences,
      allowChangedData: configuration.resume.allowChangedData)
    try clear(folder, toGoOnFrom: file, progress)
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
    for section in try changedSections(since: earlier) { progress.say("  changed: \(section)") }
    return state
  }

  /// Makes sure that the output folder holds no future but this run's: another run's checkpoints
  /// refuse it, later ones of this run are set aside.
  private func clear(
    _ folder: CheckpointFolder, toGoOnFrom file: CheckpointFile, _ progress: ProgressReporter
  ) throws {
    let from = file.url.deletingLastPathComponent().resolvingSymlinksInPath().path
    if from != folder.url.resolvingSymlinksInPath().path {
      guard let newest = try folder.entries().last else { return }
      throw RunError.folderHasRun(
        folder: configuration.output, newest: newest.url.lastPathComponent)
    }
    for url in try folder.setAside(after: file.metadata.step) {
      progress.say("set aside as \(url.lastPathComponent): the run goes on from an earlier step")
    }
  }

  /// What else differs from the run's beginning: allowed, but worth knowing.
  private func changedSections(since earlier: StageOneRunConfiguration) throws -> [String] {
    try ConfigurationDifference.lines(earlier.training, configuration.training, under: "training")
      + ConfigurationDifference.lines(earlier.data, configuration.data, under: "data")
  }
}

extension VisionConfiguration {
  /// The part that decides which function of a picture the encoder computes; the weights have a
  /// fingerprint, or are in the checkpoint.
  fileprivate var function: VisionConfiguration {
    var function = self
    function.path = nil
    function.learningRateScale = 1
    function.cacheFolder = VisionConfiguration().cacheFolder
    return function
  }
}
