import BLIP2
import Configuration
import Tensors
import Training

extension StageOneRecipe {
  /// Everything that decides what a stage-1 run computes: the keys of its YAML file.
  public struct Configuration: ImageTextConfiguration, Equatable, Sendable {
    @Inlined public var run = RunConfiguration(
      of: StageOneRecipe.name, output: "Checkpoints/stage1")
    @Key("What is trained and how its losses are formed.", resume: .fixed)
    public var model = StageOneConfiguration()
    @Key("Where the image encoder comes from and what of it goes on.", resume: .fixed)
    public var vision = VisionConfiguration()
    @Key("Where the weights come from at the start of a new run.", resume: .free)
    public var initialise = InitialiseConfiguration()
    @Key("The data of the run and how it is read.")
    public var data = DataConfiguration()
    @Key("When held-out pairs are looked at.", resume: .scores)
    public var validation = ValidationConfiguration()

    public init() {}

    public var validationEvery: Int { validation.every }

    /// Checks what the types cannot say.
    /// - Throws: `ConfigurationError.invalidValue`, naming the field and what was expected.
    public func check() throws {
      try checkCommon()
      try model.check()
      let needsNegatives = model.objectives.contrast || model.objectives.matching
      try require(
        !needsNegatives || run.training.batchSize >= 2, "training.batchSize",
        found: run.training.batchSize, expected: "at least 2",
        advice: "ITC and ITM compare the pairs of a batch with one another; with one pair there is "
          + "nothing to compare. Switch model.objectives.contrast and matching off to train on "
          + "single pairs")
      try initialise.check()
    }
  }
}

extension StageOneRecipe {
  public static var starter: (configuration: Configuration, keys: [String: String]) {
    var configuration = Configuration()
    configuration.begin(in: "runs/stage1")
    configuration.initialise.bert = "Weights/bert-base-uncased"
    let keys = [
      "initialise.bert":
        "For example huggingface.co/google-bert/bert-base-uncased (model.safetensors)."
    ]
    return (configuration, Configuration.imageTextStarterKeys.merging(keys) { $1 })
  }
}

extension StageOneConfiguration {
  /// - Throws: `ConfigurationError.invalidValue`.
  func check() throws {
    try qFormer.check()
    let weights = [
      (objectives.contrast, lossWeights.contrast), (objectives.matching, lossWeights.matching),
      (objectives.generation, lossWeights.generation),
    ]
    try require(
      weights.contains(where: \.0), "model.objectives", found: "none",
      expected: "at least one objective")
    try require(
      weights.contains { $0 && $1 > 0 }, "model.lossWeights",
      found: "0 for every objective that is on", expected: "a weight above 0 for one of them",
      advice: "nothing would be trained")
  }
}
