import BLIP2
import Tensors

/// Everything that decides what a stage-1 run computes: the keys of its YAML file.
public struct StageOneRunConfiguration: RunConfiguration, Equatable, Sendable {
  /// The version of the recipe's keys.
  public var version = ConfigurationLoader.recipeVersion
  /// The folder that checkpoints and `metrics.jsonl` are written to.
  public var output = "Checkpoints/stage1"
  /// Decides every random draw of the run.
  public var seed: UInt64 = 42
  /// The precision of the linear maps' products. Parameters, sums and the optimiser are float32.
  public var precision = ProductPrecision.float32
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

  var validationEvery: Int { validation.every }

  /// Checks what the types cannot say.
  /// - Throws: `ConfigurationError.invalidValue`, naming the field and what was expected.
  public func check() throws {
    try model.check()
    try checkCommon()
    try ConfigurationCheck.whole([
      ("validation.every", validation.every, 0...Int.max),
      ("validation.batchSize", validation.batchSize, 1...65_536),
      ("validation.rerank", validation.rerank, 0...1_000_000),
    ])
    let needsNegatives = model.objectives.contrast || model.objectives.matching
    if training.batchSize < 2 && needsNegatives {
      throw ConfigurationError.invalidValue(
        field: "training.batchSize", found: String(training.batchSize), expected: "at least 2",
        advice: "ITC and ITM compare the pairs of a batch with one another; with one pair there is "
          + "nothing to compare. Switch model.objectives.contrast and matching off to train on "
          + "single pairs")
    }
    try initialise.check()
  }
}

extension StageOneConfiguration {
  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try qFormer.check()
    try ConfigurationCheck.whole([("model.embeddingWidth", embeddingWidth, 1...65_536)])
    try ConfigurationCheck.numbers([
      ("model.initialTemperature", Double(initialTemperature), 0.001...1000),
      ("model.lossWeights.contrast", Double(lossWeights.contrast), 0...1000),
      ("model.lossWeights.matching", Double(lossWeights.matching), 0...1000),
      ("model.lossWeights.generation", Double(lossWeights.generation), 0...1000),
      ("model.labelSmoothing.contrast", Double(labelSmoothing.contrast), 0...1),
      ("model.labelSmoothing.generation", Double(labelSmoothing.generation), 0...1),
    ])
    if !(objectives.contrast || objectives.matching || objectives.generation) {
      throw ConfigurationError.invalidValue(
        field: "model.objectives", found: "none", expected: "at least one objective", advice: "")
    }
  }
}
