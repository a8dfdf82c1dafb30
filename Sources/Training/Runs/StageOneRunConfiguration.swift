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
    try data.check()
    try training.check()
    try vision.check()
    try ConfigurationCheck.whole([
      ("validation.every", validation.every, 0...Int.max),
      ("validation.batchSize", validation.batchSize, 1...65_536),
      ("validation.rerank", validation.rerank, 0...1_000_000),
      ("checkpoint.every", checkpoint.every, 0...Int.max),
      ("checkpoint.keep", checkpoint.keep, 1...1_000_000), ("log.every", log.every, 1...Int.max),
      ("log.pictures", log.pictures, 0...256),
    ])
    try ConfigurationCheck.numbers([
      ("checkpoint.everyMinutes", checkpoint.everyMinutes ?? 1, 0.01...1e6)
    ])
    let needsNegatives = model.objectives.contrast || model.objectives.matching
    if training.batchSize < 2 && needsNegatives {
      throw ConfigurationError.invalidValue(
        field: "training.batchSize", found: String(training.batchSize), expected: "at least 2",
        advice: "ITC and ITM compare the pairs of a batch with one another; with one pair there is "
          + "nothing to compare. Switch model.objectives.contrast and matching off to train on "
          + "single pairs")
    }
    if data.train.locations.isEmpty {
      throw ConfigurationError.invalidValue(
        field: "data.train.path", found: "null", expected: DataSourceWords.kinds,
        advice: "name one in the recipe or by --set data.train.path=LIST")
    }
    if initialise.bert != nil && initialise.checkpoint != nil {
      throw ConfigurationError.invalidValue(
        field: "initialise", found: "both bert and checkpoint", expected: "one of them at most",
        advice: "the checkpoint holds what BERT gave already")
    }
  }
}

/// Values held against ranges.
enum ConfigurationCheck {
  static func whole(_ fields: [(name: String, value: Int, range: ClosedRange<Int>)]) throws {
    for field in fields where !field.range.contains(field.value) {
      let most = field.range.upperBound == .max ? "" : ", at most \(field.range.upperBound)"
      throw ConfigurationError.invalidValue(
        field: field.name, found: String(field.value),
        expected: "at least \(field.range.lowerBound)\(most)", advice: "")
    }
  }

  static func numbers(_ fields: [(name: String, value: Double, range: ClosedRange<Double>)]) throws
  {
    for field in fields where !field.range.contains(field.value) {
      throw ConfigurationError.invalidValue(
        field: field.name, found: String(field.value),
        expected: "a number from \(field.range.lowerBound) to \(field.range.upperBound)",
        advice: "")
    }
  }
}

extension DataConfiguration {
  /// - Throws: `ConfigurationError.invalidValue`.
  public func check() throws {
    try train.check("data.train")
    try ConfigurationCheck.whole([
      ("data.maximumTextLength", maximumTextLength, 3...65_536),
      ("data.workers", workers, 1...1024),
      ("data.prefetchedBatches", prefetchedBatches, 1...1024),
      ("data.maximumPixelCount", maximumPixelCount, 1...(1 << 29)),
      ("data.augmentation.randAugmentOperations", augmentation.randAugmentOperations, 1...16),
    ])
    try ConfigurationCheck.numbers([
      ("data.maximumBadShare", maximumBadShare, 0...1),
      ("data.augmentation.leastArea", augmentation.leastArea, 0.01...1),
      ("data.augmentation.flipProbability", Double(augmentation.flipProbability), 0...1),
      ("data.augmentation.randAugmentMagnitude", augmentation.randAugmentMagnitude, 0...10),
    ])
  }
}

extension TrainingConfiguration {
  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try ConfigurationCheck.whole([
      ("training.steps", steps, 1...Int(Int32.max)), ("training.batchSize", batchSize, 1...65_536),
      ("training.accumulation", accumulation, 1...65_536),
      ("training.stopAfterSkippedSteps", stopAfterSkippedSteps, 1...Int.max),
      ("training.learningRate.warmupSteps", learningRate.warmupSteps, 0...Int(Int32.max)),
    ])
    try ConfigurationCheck.numbers([
      ("training.adamW.beta1", Double(adamW.beta1), 0...0.999_999),
      ("training.adamW.beta2", Double(adamW.beta2), 0...0.999_999),
      ("training.adamW.epsilon", Double(adamW.epsilon), 1e-30...1),
      ("training.adamW.weightDecay", Double(adamW.weightDecay), 0...1000),
      ("training.learningRate.start", learningRate.start, 0...10),
      ("training.learningRate.peak", learningRate.peak, 0...10),
      ("training.learningRate.final", learningRate.final, 0...10),
      ("training.clipNorm", clipNorm ?? 1, 1e-12...1e12),
    ])
  }
}

extension VisionConfiguration {
  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try ConfigurationCheck.numbers([("vision.learningRateScale", learningRateScale, 0...1e6)])
    try ConfigurationCheck.whole([
      ("vision.new.width", new.width, 1...16_384), ("vision.new.layers", new.layers, 1...512),
      ("vision.new.heads", new.heads, 1...1024), ("vision.new.patchSize", new.patchSize, 1...1024),
      ("vision.new.imageSize", new.imageSize, new.patchSize...8192),
    ])
    if new.width % new.heads != 0 {
      throw ConfigurationError.invalidValue(
        field: "vision.new.heads", found: String(new.heads),
        expected: "a divisor of the width \(new.width)", advice: "")
    }
    try ConfigurationCheck.whole([("vision.cachedViews", cachedViews, 1...1024)])
    if cache && !frozen {
      throw ConfigurationError.invalidValue(
        field: "vision.cache", found: "true", expected: "false for an encoder that is trained",
        advice: "its features change at every step; set vision.frozen to true to keep them")
    }
    if path == nil && frozen {
      throw ConfigurationError.invalidValue(
        field: "vision.path", found: "null", expected: "the folder of an image encoder",
        advice: "a new encoder must be trained: set vision.frozen to false")
    }
  }
}

extension StageOneConfiguration {
  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try ConfigurationCheck.whole([
      ("model.qFormer.width", qFormer.width, 1...16_384),
      ("model.qFormer.layers", qFormer.layers, 1...512),
      ("model.qFormer.heads", qFormer.heads, 1...1024),
      ("model.qFormer.feedForwardWidth", qFormer.feedForwardWidth, 1...131_072),
      ("model.qFormer.queries", qFormer.queries, 1...4096),
      ("model.qFormer.crossAttentionFrequency", qFormer.crossAttentionFrequency, 1...512),
      ("model.qFormer.maximumPositions", qFormer.maximumPositions, 3...65_536),
      ("model.qFormer.vocabularySize", qFormer.vocabularySize, 1...(1 << 24)),
      ("model.embeddingWidth", embeddingWidth, 1...65_536),
    ])
    try ConfigurationCheck.numbers([
      ("model.qFormer.dropout", Double(qFormer.dropout), 0...0.999),
      ("model.qFormer.layerNormEpsilon", Double(qFormer.layerNormEpsilon), 1e-30...1),
      ("model.qFormer.initialDeviation", Double(qFormer.initialDeviation), 0...100),
      ("model.initialTemperature", Double(initialTemperature), 0.001...1000),
      ("model.labelSmoothing.contrast", Double(labelSmoothing.contrast), 0...1),
      ("model.labelSmoothing.generation", Double(labelSmoothing.generation), 0...1),
    ])
    if qFormer.width % qFormer.heads != 0 {
      throw ConfigurationError.invalidValue(
        field: "model.qFormer.heads", found: String(qFormer.heads),
        expected: "a divisor of the width \(qFormer.width)", advice: "")
    }
    if !(objectives.contrast || objectives.matching || objectives.generation) {
      throw ConfigurationError.invalidValue(
        field: "model.objectives", found: "none", expected: "at least one objective", advice: "")
    }
  }
}
