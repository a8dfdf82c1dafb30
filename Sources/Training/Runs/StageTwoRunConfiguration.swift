import BLIP2
import Foundation
import Tensors

/// Everything that decides what a stage-2 run computes: the keys of its YAML file.
public struct StageTwoRunConfiguration: RunConfiguration, Equatable, Sendable {
  /// The version of the recipe's keys.
  public var version = ConfigurationLoader.recipeVersion
  /// The folder that checkpoints and `metrics.jsonl` are written to; `{llm}` stands for `llm.family`.
  public var output = "Checkpoints/stage2-{llm}"
  /// Decides every random draw of the run.
  public var seed: UInt64 = 42
  /// The precision of the linear maps' products. Parameters, sums and the optimiser are float32.
  public var precision = ProductPrecision.float32
  public var model = StageTwoConfiguration()
  /// The frozen image encoder, the one that stage 1 was trained with.
  public var vision = VisionConfiguration()
  public var stage1 = StageOneSource()
  /// What to begin from in place of stage 1: BERT, or an earlier stage-2 run, say of captions, to go
  /// on with questions.
  public var initialise = InitialiseConfiguration()
  public var llm = LanguageModelConfiguration()
  public var data = DataConfiguration()
  public var training = TrainingConfiguration()
  public var validation = StageTwoValidationConfiguration()
  public var checkpoint = CheckpointConfiguration()
  public var log = LogConfiguration()
  public var resume = ResumeConfiguration()

  /// The paper's schedule with OPT (Li et al. 2023, §3.4).
  public init() {
    training.steps = 80_000
    training.learningRate.final = 5e-5
  }

  var validationEvery: Int { validation.every }

  /// Checks what the types cannot say.
  /// - Throws: `ConfigurationError.invalidValue`, naming the field and what was expected.
  public func check() throws {
    try model.check()
    if vision.path == nil {
      throw ConfigurationError.invalidValue(
        field: "vision.path", found: "null", expected: "the image encoder of stage 1",
        advice: "name its folder; what stage 1 trained is written by blip2-train export vision")
    }
    try checkCommon()
    if let chunkSize = training.chunkSize {
      throw ConfigurationError.invalidValue(
        field: "training.chunkSize", found: String(chunkSize), expected: "null in stage 2",
        advice: "its pictures are not compared with one another: a smaller training.batchSize with "
          + "more training.accumulation does the same")
    }
    try validation.check()
    try initialise.check()
    if initialise != InitialiseConfiguration(), stage1.checkpoint != StageOneSource.none {
      throw ConfigurationError.invalidValue(
        field: "initialise", found: "a start beside stage1.checkpoint (\(stage1.checkpoint))",
        expected: "one start",
        advice: "begin from stage 1, or add --set stage1.checkpoint=\(StageOneSource.none)")
    }
    guard vision.frozen else {
      throw ConfigurationError.invalidValue(
        field: "vision.frozen", found: "false", expected: "true",
        advice: "stage 2 trains the Q-Former alone")
    }
  }
}

/// What stage 2 goes on from.
public struct StageOneSource: Codable, Equatable, Sendable {
  /// A stage-1 checkpoint, or a run's folder whose newest sound one is taken; `none` for a Q-Former
  /// that has seen nothing.
  public var checkpoint = "Checkpoints/demo-stage1"

  static let none = "none"

  public init() {}
}

/// When held-out pictures are looked at, and what is asked of them.
public struct StageTwoValidationConfiguration: Codable, Equatable, Sendable {
  /// Steps between validations; 0 for none but the last.
  public var every = 1000
  /// Pictures that are judged at once.
  public var batchSize = 32
  /// Held-out pictures that are captioned and scored; 0 for none, which leaves the loss to choose the
  /// best checkpoint.
  public var captions = 500
  public var generation = GenerationSettings()

  public init() {}

  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try ConfigurationCheck.whole([
      ("validation.every", every, 0...Int.max), ("validation.batchSize", batchSize, 1...65_536),
      ("validation.captions", captions, 0...Int(Int32.max)),
      ("validation.generation.beams", generation.beams, 1...256),
      ("validation.generation.maximumNewTokens", generation.maximumNewTokens, 1...4096),
      (
        "validation.generation.minimumNewTokens", generation.minimumNewTokens,
        0...max(0, generation.maximumNewTokens)
      ),
    ])
    try ConfigurationCheck.numbers([
      (
        "validation.generation.repetitionPenalty", Double(generation.repetitionPenalty),
        1e-3...1e3
      ),
      ("validation.generation.lengthPenalty", Double(generation.lengthPenalty), -100...100),
    ])
  }
}
