import BLIP2
import Checkpointing
import Configuration
import Foundation
import LanguageModels
import Layers
import WeightFiles

/// A run of stage 2, from its configuration to its checkpoints.
public struct StageTwoRun: TrainingRun {
  public static let kind = "stage2"
  let configuration: StageTwoRunConfiguration
  let task: StageTwoTask

  /// Builds the model, the image encoder, the language model and the data sets; nothing is written
  /// yet.
  /// - Parameter parts: The data sets that are wanted.
  /// - Throws: `ConfigurationError` and the errors of the files that it reads.
  public init(
    _ given: StageTwoRunConfiguration,
    reading parts: Set<RunData.Part> = Set(RunData.Part.allCases)
  ) throws {
    try given.check()
    var configuration = given
    configuration.output = given.llm.resolved(given.output)
    self.configuration = configuration
    let tower = try KeyedError.naming("vision.path") {
      try VisionTower(
        configuration.vision, seed: configuration.seed, in: configuration.precision)
    }
    let data = try RunData(
      configuration.data, seed: configuration.seed,
      features: configuration.vision.cache
        ? FeatureCache(configuration.vision, tower: tower) : nil, reading: parts)
    let languageModel = try KeyedError.naming("llm.path") {
      try FrozenLanguageModel(configuration.llm, in: configuration.precision)
    }
    var model = StageTwoModel(
      configuration.model, visionWidth: tower.encoder.width,
      embeddingWidth: languageModel.model.embeddingWidth, seed: configuration.seed)
    model.multiply(in: configuration.precision)
    model.recomputesActivations = configuration.training.recomputeActivations
    task = StageTwoTask(
      configuration: configuration, model: model, tower: tower, data: data,
      languageModel: languageModel,
      texts: try LanguageModelTexts(
        languageModel, objective: configuration.model.objective, data: configuration.data))
    try task.checkRoom()
  }

  /// Where the run writes.
  public var output: String { configuration.output }

  /// Trains.
  /// - Parameters:
  ///   - resume: What to go on from.
  ///   - maximumSteps: A step to stop at, after a checkpoint; the schedule stays as it is.
  ///   - force: Whether the output folder may hold other things.
  ///   - isTerminal: Whether progress may renew its line.
  public func train(
    resume: ResumeRequest, maximumSteps: Int? = nil, force: Bool = false,
    isTerminal: Bool = isatty(STDOUT_FILENO) == 1
  ) throws -> RunOutcome {
    try RunStart(self, isTerminal: isTerminal)
      .train(resume: resume, maximumSteps: maximumSteps, force: force)
  }

  // MARK: What a training run is asked for

  func fingerprints() throws -> [String: String] {
    var fingerprints = ["llm": task.languageModel.fingerprint]
    fingerprints["tokenizer"] = task.languageModel.tokenizerFingerprint
    return fingerprints
  }

  var reckoning: Reckoning {
    let qFormer = configuration.model.qFormer
    // The language model's own layers keep about as much again, whatever its width: it is larger, and
    // only the rows' results are kept of its frozen maps.
    return Reckoning(
      configuration, task.trainedParameters,
      activations: 2
        * Reckoning.activations(
          rows: configuration.training.batchSize * (qFormer.queries + Reckoning.usualTextLength),
          layers: configuration.training.recomputeActivations ? 1 : qFormer.layers,
          width: qFormer.width))
  }

  func describe(_ progress: ProgressReporter) {
    let model = task.languageModel.model
    progress.say(
      "language model: \(task.languageModel.path), \(model.family), frozen, "
        + "\(model.vocabularySize) tokens of width \(model.embeddingWidth)")
  }

  func initialise(_ progress: ProgressReporter) throws {
    if let path = configuration.initialise.bert {
      let report = try KeyedError.naming("initialise.bert") {
        try task.model.initialise(
          fromBERT: WeightFolder(URL(fileURLWithPath: path, isDirectory: true)))
      }
      progress.say("without stage 1: initialised from BERT \(path)")
      progress.say(report)
    } else if let path = configuration.initialise.checkpoint {
      try KeyedError.naming("initialise.checkpoint") {
        try initialise(fromStageTwo: path, progress)
      }
    } else if configuration.stage1.checkpoint == StageOneSource.none {
      progress.say("without stage 1: the Q-Former begins with random numbers")
    } else {
      try KeyedError.naming("stage1.checkpoint") {
        try initialise(fromStageOne: try stageOneFile { progress.say($0) }, progress)
      }
    }
  }

  /// Takes what an earlier stage-2 run trained; the optimiser and the schedule start afresh.
  private func initialise(fromStageTwo path: String, _ progress: ProgressReporter) throws {
    let file = try CheckpointFile.open(fileOrFolder: path) { progress.say($0) }
    let earlier = try file.configuration(StageTwoRunConfiguration.self, kind: StageTwoRun.kind)
    try requireSameVision(file)
    try requireSameQFormer(earlier.model.qFormer, as: file)
    if let then = file.metadata.fingerprints["llm"], then != task.languageModel.fingerprint {
      progress.say("note: \(file.url.path) was trained before another language model, \(then)")
    }
    try file.load(into: task.trainedParameters)
    progress.say("initialised from \(file.url.path) (step \(file.metadata.step))")
  }

  private func initialise(fromStageOne file: CheckpointFile, _ progress: ProgressReporter) throws {
    try requireSameVision(file)
    if file.metadata.fingerprints["vision"] == nil {
      progress.say(
        "note: stage 1 trained its image encoder; vision.path must be what blip2-train export vision "
          + "wrote of that run")
    }
    try noteOtherViews(file, progress)
    // The projection is new, and stage 1's text half and heads have no part in this.
    try file.load(
      into: task.trainedParameters.filter { !$0.name.hasPrefix("languageProjection.") })
    try requireSameQFormer(file.stageOneConfiguration().model.qFormer, as: file)
    progress.say("begun from stage 1, \(file.url.path) (step \(file.metadata.step))")
  }

  private func requireSameVision(_ file: CheckpointFile) throws {
    guard let then = file.metadata.fingerprints["vision"] else { return }
    let now = task.tower.fingerprint
    if then != now {
      throw RunError.differsFromCheckpoint(
        file: file.url.path,
        differences: ["vision: it was trained with \(then), now it is \(now ?? "none")"],
        advice: "Name the same image encoder: --set vision.path=FOLDER.")
    }
  }

  /// Shapes alone do not tell everything: heads, and layers that stage 2 would leave out.
  private func requireSameQFormer(
    _ earlier: QFormerConfiguration, as file: CheckpointFile
  ) throws {
    var then = earlier
    let now = configuration.model.qFormer
    // These change nothing for the queries, or are free to change.
    then.dropout = now.dropout
    then.vocabularySize = now.vocabularySize
    then.maximumPositions = now.maximumPositions
    then.initialDeviation = now.initialDeviation
    let differences = try KeyDifference.between(
      then, now, like: QFormerConfiguration(), under: "model.qFormer")
    if !differences.isEmpty {
      throw RunError.differsFromCheckpoint(
        file: file.url.path, differences: differences.map(\.line),
        advice: "Take the Q-Former of that run's recipe, or begin without it by "
          + "--set stage1.checkpoint=none.")
    }
  }

  private func stageOneFile(_ report: (String) -> Void) throws -> CheckpointFile {
    let path = configuration.stage1.checkpoint
    guard FileManager.default.fileExists(atPath: path) else {
      throw ConfigurationError.invalidValue(
        field: "stage1.checkpoint", found: path,
        expected: "a stage-1 checkpoint or the folder of a stage-1 run",
        advice: "there is nothing of that name; train stage 1 first, name another by "
          + "--set stage1.checkpoint=PATH, or begin without by --set stage1.checkpoint=none")
    }
    return try CheckpointFile.open(fileOrFolder: path, report: report)
  }

  /// Other features of the same encoder are allowed, but seldom meant.
  private func noteOtherViews(_ file: CheckpointFile, _ progress: ProgressReporter) throws {
    let earlier = try file.stageOneConfiguration().vision
    let differences = [
      ("layer", earlier.layer.map(String.init), configuration.vision.layer.map(String.init)),
      (
        "imageSize", earlier.imageSize.map(String.init),
        configuration.vision.imageSize.map(String.init)
      ),
      (
        "finalNorm", earlier.finalNorm.map(String.init),
        configuration.vision.finalNorm.map(String.init)
      ),
      (
        "precision", earlier.precision?.rawValue, configuration.vision.precision?.rawValue
      ),
    ]
    for (key, then, now) in differences where then != now {
      progress.say(
        "note: vision.\(key) was \(then ?? "null") in stage 1, now it is \(now ?? "null")")
    }
  }
}
