import BLIP2

/// Everything that decides what a stage-1 run computes: the keys of its YAML file.
public struct StageOneRunConfiguration: Codable, Equatable, Sendable {
  /// The folder that checkpoints and `metrics.jsonl` are written to.
  public var output = "Checkpoints/stage1"
  /// Decides every random draw of the run.
  public var seed: UInt64 = 42
  public var model = StageOneConfiguration()
  public var vision = VisionConfiguration()
  public var initialise = InitialiseConfiguration()
  public var data = DataConfiguration()
  public var training = TrainingConfiguration()
  public var validation = ValidationConfiguration()
  public var checkpoint = CheckpointConfiguration()
  public var log = LogConfiguration()
  public var resume = ResumeConfiguration()

  public init() {}

  /// Checks what the types cannot say.
  /// - Throws: `ConfigurationError.invalidValue`, naming the field and what was expected.
  public func check() throws {
    try model.check()
    let atLeast: [(String, Int, Int)] = [
      ("training.steps", training.steps, 1), ("training.accumulation", training.accumulation, 1),
      ("training.stopAfterSkippedSteps", training.stopAfterSkippedSteps, 1),
      ("training.learningRate.warmupSteps", training.learningRate.warmupSteps, 0),
      ("validation.every", validation.every, 0), ("validation.batchSize", validation.batchSize, 1),
      ("validation.rerank", validation.rerank, 0), ("checkpoint.every", checkpoint.every, 0),
      ("checkpoint.keep", checkpoint.keep, 1), ("log.every", log.every, 1),
      ("data.maximumTextLength", data.maximumTextLength, 3), ("data.workers", data.workers, 1),
      ("data.prefetchedBatches", data.prefetchedBatches, 1),
      ("data.maximumPixelCount", data.maximumPixelCount, 1),
    ]
    for (field, value, least) in atLeast where value < least {
      throw ConfigurationError.invalidValue(
        field: field, found: String(value), expected: "at least \(least)", advice: "")
    }
    let needsNegatives = model.objectives.contrast || model.objectives.matching
    if training.batchSize < (needsNegatives ? 2 : 1) {
      throw ConfigurationError.invalidValue(
        field: "training.batchSize", found: String(training.batchSize), expected: "at least 2",
        advice: "ITC and ITM compare the pairs of a batch with one another; with one pair there is "
          + "nothing to compare. Switch model.objectives.contrast and matching off to train on "
          + "single pairs")
    }
    try checkNumbers()
  }

  private func checkNumbers() throws {
    let ranges: [(String, Double, ClosedRange<Double>)] = [
      ("data.maximumBadShare", data.maximumBadShare, 0...1),
      ("data.augmentation.leastArea", data.augmentation.leastArea, 0.01...1),
      ("data.augmentation.flipProbability", Double(data.augmentation.flipProbability), 0...1),
      ("training.adamW.beta1", Double(training.adamW.beta1), 0...0.999_999),
      ("training.adamW.beta2", Double(training.adamW.beta2), 0...0.999_999),
      ("training.learningRate.peak", training.learningRate.peak, 0...10),
      ("training.clipNorm", training.clipNorm ?? 1, 1e-12...1e12),
      ("checkpoint.everyMinutes", checkpoint.everyMinutes ?? 1, 0.01...1e6),
      ("vision.learningRateScale", vision.learningRateScale, 0...1e6),
    ]
    for (field, value, range) in ranges where !range.contains(value) {
      throw ConfigurationError.invalidValue(
        field: field, found: String(value),
        expected: "a number from \(range.lowerBound) to \(range.upperBound)", advice: "")
    }
    if data.train.path == nil {
      throw ConfigurationError.invalidValue(
        field: "data.train.path", found: "null", expected: "a list or a folder of pairs",
        advice: "")
    }
    if initialise.bert != nil && initialise.checkpoint != nil {
      throw ConfigurationError.invalidValue(
        field: "initialise", found: "both bert and checkpoint", expected: "one of them at most",
        advice: "")
    }
    if vision.path == nil && vision.frozen {
      throw ConfigurationError.invalidValue(
        field: "vision.path", found: "null", expected: "the folder of an image encoder",
        advice: "a new encoder must be trained: set vision.frozen to false")
    }
  }
}

extension StageOneConfiguration {
  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    let sizes: [(String, Int, Int)] = [
      ("width", qFormer.width, 16_384), ("layers", qFormer.layers, 512),
      ("heads", qFormer.heads, 1024), ("feedForwardWidth", qFormer.feedForwardWidth, 131_072),
      ("queries", qFormer.queries, 4096),
      ("crossAttentionFrequency", qFormer.crossAttentionFrequency, 512),
      ("maximumPositions", qFormer.maximumPositions, 65_536),
      ("vocabularySize", qFormer.vocabularySize, 1 << 24),
    ]
    for (name, value, most) in sizes where !(1...most).contains(value) {
      throw ConfigurationError.invalidValue(
        field: "model.qFormer.\(name)", found: String(value), expected: "1 to \(most)", advice: "")
    }
    if qFormer.width % qFormer.heads != 0 {
      throw ConfigurationError.invalidValue(
        field: "model.qFormer.heads", found: String(qFormer.heads),
        expected: "a divisor of the width \(qFormer.width)", advice: "")
    }
    if !(0..<1).contains(qFormer.dropout) {
      throw ConfigurationError.invalidValue(
        field: "model.qFormer.dropout", found: String(qFormer.dropout),
        expected: "at least 0 and less than 1", advice: "")
    }
    if !(objectives.contrast || objectives.matching || objectives.generation) {
      throw ConfigurationError.invalidValue(
        field: "model.objectives", found: "none", expected: "at least one objective", advice: "")
    }
    if !(1...65_536).contains(embeddingWidth) || initialTemperature <= 0 {
      throw ConfigurationError.invalidValue(
        field: "model",
        found: "embeddingWidth \(embeddingWidth), initialTemperature "
          + "\(initialTemperature)", expected: "numbers above 0", advice: "")
    }
  }
}
