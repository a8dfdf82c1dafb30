import BLIP2
import Checkpointing
import Configuration
import Datasets
import Foundation
import Layers
import Tensors
import WeightFiles

/// A run of stage 1, from its configuration to its checkpoints.
public struct StageOneRun: TrainingRun {
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
    let tower = try KeyedError.naming("vision.path") {
      try VisionTower(
        configuration.vision, seed: configuration.seed, in: configuration.precision)
    }
    let data = try RunData(
      configuration.data, seed: configuration.seed,
      features: configuration.vision.cache
        ? FeatureCache(configuration.vision, tower: tower) : nil, reading: parts)
    let tokenizer = try CaptionTokenizer(configuration.data)
    var model = try StageOneRun.model(configuration, tower: tower, tokenizer: tokenizer)
    model.multiply(in: configuration.precision)
    model.recomputesActivations = configuration.training.recomputeActivations
    task = StageOneTask(
      configuration: configuration, model: model, tower: tower, data: data, tokenizer: tokenizer)
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
    ["vocabulary": try Fingerprint.ofFile(URL(fileURLWithPath: configuration.data.vocabulary))]
  }

  var reckoning: Reckoning {
    let qFormer = configuration.model.qFormer
    let pairs = configuration.training.chunkSize ?? configuration.training.batchSize
    // Queries by themselves and with three texts; texts by themselves, after [DEC] and with images.
    let rows = 4 * qFormer.queries + 5 * Reckoning.usualTextLength
    let tower = task.tower
    let encoder =
      configuration.vision.frozen
      ? 0
      : Reckoning.activations(
        rows: configuration.training.batchSize
          * tower.encoder.tokenCount(height: tower.imageSize, width: tower.imageSize),
        layers: tower.encoder.layerCount, width: tower.encoder.width)
    return Reckoning(
      configuration, task.trainedParameters,
      activations: encoder
        + Reckoning.activations(
          rows: min(pairs, configuration.training.batchSize) * rows,
          layers: configuration.training.recomputeActivations ? 1 : qFormer.layers,
          width: qFormer.width))
  }

  func describe(_ progress: ProgressReporter) {}

  func initialise(_ progress: ProgressReporter) throws {
    if let path = configuration.initialise.bert {
      let report = try KeyedError.naming("initialise.bert") {
        try task.model.initialise(
          fromBERT: WeightFolder(URL(fileURLWithPath: path, isDirectory: true)))
      }
      progress.say("initialised from BERT \(path)")
      progress.say(report)
    } else if let path = configuration.initialise.checkpoint {
      try KeyedError.naming("initialise.checkpoint") {
        try initialise(fromCheckpoint: path, progress)
      }
    } else {
      task.model.qFormer.copyTextFeedForwardsToQueries()
    }
  }

  /// Takes what an earlier run trained; the optimiser and the schedule start afresh.
  private func initialise(fromCheckpoint path: String, _ progress: ProgressReporter) throws {
    let file = try CheckpointFile.open(fileOrFolder: path) { progress.say($0) }
    _ = try file.stageOneConfiguration()
    let report = try file.loadWhatIsThere(into: task.trainedParameters)
    progress.say("initialised from \(file.url.path) (step \(file.metadata.step))")
    progress.say(report)
  }
}
