import BLIP2
import Configuration
import Foundation
import Tensors
import Training

extension StageTwoRecipe {
  /// Everything that decides what a stage-2 run computes: the keys of its YAML file.
  public struct Configuration: ImageTextConfiguration, Equatable, Sendable {
    @Inlined public var run = RunConfiguration(
      of: StageTwoRecipe.name, output: "Checkpoints/stage2-{llm}")
    @Key("What is trained and how a caption is put before the language model.", resume: .fixed)
    public var model = StageTwoConfiguration()
    @Key("The frozen image encoder, the one that stage 1 was trained with.", resume: .fixed)
    public var vision = VisionConfiguration()
    @Key("What stage 2 goes on from.", resume: .free)
    public var stage1 = StageOneSource()
    @Key(
      "What to begin from in place of stage 1: BERT, or what stage 2 trained earlier, say with "
        + "captions, to go on with questions.",
      resume: .free)
    public var initialise = InitialiseConfiguration()
    @Key("Where the frozen language model comes from.")
    public var llm = LanguageModelConfiguration()
    @Key("The data of the run and how it is read.")
    public var data = DataConfiguration()
    @Key("When held-out images are looked at, and what is asked of them.", resume: .scores)
    public var validation = StageTwoValidationConfiguration()

    /// The paper's schedule with OPT (Li et al. 2023, §3.4).
    public init() {
      run.training.steps = 80_000
      run.training.learningRate.final = 5e-5
    }

    public var validationEvery: Int { validation.every }
    public func resolved(_ path: String) -> String { llm.resolved(path) }

    /// Checks what the types cannot say.
    /// - Throws: `ConfigurationError.invalidValue`, naming the field and what was expected.
    public func check() throws {
      try KeyCheck.check(self, like: Self())
      try model.qFormer.check()
      try require(
        vision.path != nil, "vision.path", found: "null", expected: "the image encoder of stage 1",
        advice: "name its folder by --set vision.path=FOLDER; what stage 1 trained is written by "
          + "blip2-train export --parts vision")
      try checkCommon()
      if let chunkSize = run.training.chunkSize {
        throw ConfigurationError.invalidValue(
          field: "training.chunkSize", found: String(chunkSize), expected: "null in stage 2",
          advice:
            "its images are not compared with one another: a smaller training.batchSize with "
            + "more training.accumulation does the same")
      }
      try validation.check()
      try initialise.check()
      try require(
        initialise == InitialiseConfiguration() || stage1.checkpoint == StageOneSource.none,
        "initialise", found: "a start beside stage1.checkpoint (\(stage1.checkpoint))",
        expected: "one start",
        advice: "begin from stage 1, or add --set stage1.checkpoint=\(StageOneSource.none)")
      try require(
        vision.frozen, "vision.frozen", found: "false", expected: "true",
        advice: "stage 2 trains the Q-Former alone")
    }
  }
}

extension StageTwoRecipe {
  public static var starter: (configuration: Configuration, keys: [String: String]) {
    var configuration = Configuration()
    configuration.begin(in: "runs/stage2")
    configuration.run.training.batchSize = 32
    configuration.stage1.checkpoint = "runs/stage1"
    configuration.llm.path = "Weights/opt-2.7b"
    let keys = [
      "stage1.checkpoint": "",
      "llm.path": "For example huggingface.co/facebook/opt-2.7b (config.json, pytorch_model.bin, "
        + "vocab.json, merges.txt).",
      "validation.captions": "",
    ]
    return (configuration, Configuration.imageTextStarterKeys.merging(keys) { $1 })
  }
}

/// What stage 2 goes on from.
public struct StageOneSource: Codable, Equatable, Sendable {
  @Key(
    .input,
    "A stage-1 checkpoint, a run's folder whose newest sound one is taken, or a public model of "
      + "stage 1; `none` for a Q-Former that has seen nothing.")
  public var checkpoint = "Checkpoints/demo-stage1"

  static let none = "none"

  public init() {}
}

/// When held-out images are looked at, and what is asked of them.
public struct StageTwoValidationConfiguration: Codable, Equatable, Sendable {
  @Key(0...Int.max, "Steps between validations; 0 for none but the last.", resume: .named)
  public var every = 1000
  @Key(1...65_536, "Images that are evaluated at once.")
  public var batchSize = 32
  @Key(
    0...Int(Int32.max),
    "Held-out images that are captioned and scored; 0 for none, which leaves the loss to "
      + "choose the best checkpoint.")
  public var captions = 500
  @Key("How captions are searched for.")
  public var generation = GenerationSettings()

  public init() {}

  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try require(
      generation.minimumNewTokens <= generation.maximumNewTokens,
      "validation.generation.minimumNewTokens", found: generation.minimumNewTokens,
      expected: "at most maximumNewTokens, \(generation.maximumNewTokens)")
  }
}
