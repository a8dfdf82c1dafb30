import BLIP2
import Checkpointing
import Configuration
import Datasets
import Files
import Foundation
import LanguageModels
import Layers
import Reporting
import Training
import WeightFiles

/// Stage 2: the Q-Former's outputs, projected, as soft prompts of a frozen language model
/// (Li et al. 2023, §3.2).
public struct StageTwoRecipe: ImageTextRecipe {
  public static let name = "stage2"
  public func next(after output: String) -> String? {
    data.validation == nil
      ? "blip2-train generate --checkpoint \(output) --image FILE"
      : "blip2-train evaluate caption --checkpoint \(output)"
  }
  public static let ownSections = ["llm", "stage1"]
  public static let filesAdvice =
    "Name what it was trained with: --set vision.path=FOLDER, --set llm.path=FOLDER."

  public let configuration: Configuration
  public let tower: VisionTower
  public let data: RunData
  let qFormer: StageTwoModel
  let languageModel: FrozenLanguageModel
  let texts: CaptionPrompts

  public static let openKeys: Set = ["model.qFormer"]

  /// The Q-Former is that of the run that this one begins from, as far as the recipe does not say
  /// otherwise.
  public static func defaults(
    for configuration: Configuration, earlier: Configuration?
  ) throws -> Configuration {
    var defaults = Configuration()
    // What cannot be read, or is of another recipe, is named where the run begins.
    func model(_ path: String) -> (any TrainedModel)? {
      try? TrainedModels.open(path) { _ in }
    }
    if let earlier {
      defaults.model.qFormer = earlier.model.qFormer
    } else if let path = configuration.initialise.from {
      let start = try? model(path)?.configuration(of: StageTwoRecipe.self)
      if let start { defaults.model.qFormer = start.model.qFormer }
    } else if configuration.stage1.checkpoint != StageOneSource.none {
      let start = try? model(configuration.stage1.checkpoint)?
        .configuration(of: StageOneRecipe.self)
      if let start { defaults.model.qFormer = start.model.qFormer }
    }
    return defaults
  }

  public init(
    _ given: Configuration, reading parts: Set<DataPart> = Set(DataPart.allCases)
  ) throws {
    try given.check()
    var configuration = given
    configuration.output = given.outputFolder
    self.configuration = configuration
    (tower, data) = try configuration.opened(reading: parts)
    languageModel = try KeyedError.naming("llm.path", path: configuration.llm.weightsPath) {
      try FrozenLanguageModel(configuration.llm, in: configuration.precision)
    }
    var model = StageTwoModel(
      configuration.model, visionWidth: tower.encoder.width,
      embeddingWidth: languageModel.model.embeddingWidth, seed: configuration.seed)
    model.multiply(in: configuration.precision)
    model.recomputesActivations = configuration.training.recomputeActivations
    qFormer = model
    texts = try CaptionPrompts(
      languageModel, objective: configuration.model.objective, data: configuration.data)
    try checkRoom()
  }

  public var model: RecipeModel {
    RecipeModel(bridge: qFormer, vision: tower.encoder, languageModel: languageModel.model)
  }

  public static func captionReader(
    _ configuration: Configuration
  ) throws -> (String) -> CaptionTokens {
    let tokenizer = try KeyedError.naming("llm.path", path: configuration.llm.weightsPath) {
      try FrozenLanguageModel.tokenizer(configuration.llm)
    }
    return { CaptionPrompts.read($0, tokenizer, configuration.data) }
  }

  public var captionReader: @Sendable (String) -> CaptionTokens {
    { [tokenizer = texts.tokenizer, data = configuration.data] in
      CaptionPrompts.read($0, tokenizer, data)
    }
  }

  // MARK: What a run is asked for

  public func textFingerprints() throws -> [String: String] {
    var fingerprints = ["llm": languageModel.fingerprint]
    fingerprints["tokenizer"] = languageModel.tokenizerFingerprint
    return fingerprints
  }

  public var reckoning: Reckoning {
    let sizes = configuration.model.qFormer
    // The language model's own layers keep about as much again, whatever its width: it is larger, and
    // only the rows' results are kept of its frozen maps.
    return Reckoning(
      configuration, model.trainedParameters,
      activations: configuration.imagesReadAhead + 2
        * Reckoning.activations(
          rows: configuration.training.batchSize * (sizes.queries + Reckoning.usualTextLength),
          layers: configuration.training.recomputeActivations ? 1 : sizes.layers,
          width: sizes.width))
  }

  public func describeTexts(_ progress: ProgressReporter) {
    let model = languageModel.model
    progress.say(
      "language model: \(languageModel.path), \(model.family), frozen, "
        + "\(model.vocabularySize) tokens of width \(model.embeddingWidth)")
    for note in languageModel.notes { progress.say("  note: \(note)") }
  }

  public func initialise(_ progress: ProgressReporter) throws {
    let isDone = try configuration.initialise.begin(
      progress, bert: qFormer.initialise(fromBERT:), model: initialise(fromStageTwo:_:))
    if isDone { return }
    if configuration.stage1.checkpoint == StageOneSource.none {
      progress.say("without stage 1: the Q-Former begins with random numbers")
    } else {
      try KeyedError.naming("stage1.checkpoint") {
        try initialise(fromStageOne: try stageOneFile { progress.say($0) }, progress)
      }
    }
  }

  /// Takes what stage 2 trained earlier; the optimiser and the schedule start afresh.
  private func initialise(
    fromStageTwo file: any TrainedModel, _ progress: ProgressReporter
  ) throws {
    let earlier = try file.configuration(of: StageTwoRecipe.self)
    try requireSameVision(file)
    try requireSameQFormer(earlier.model.qFormer, as: file)
    if let then = try file.fingerprints(usedBy: configuration)["llm"],
      then != languageModel.fingerprint
    {
      progress.say("note: \(file.url.path) was trained before another language model, \(then)")
    }
    try file.load(into: model.trainedParameters)
  }

  private func initialise(
    fromStageOne file: any TrainedModel, _ progress: ProgressReporter
  ) throws {
    try requireSameVision(file)
    try requireSameQFormer(file.configuration(of: StageOneRecipe.self).model.qFormer, as: file)
    let known = try file.fingerprints(usedBy: configuration)
    if known["vision"] == nil, known[PublicModelPath.fingerprint] == nil {
      progress.say(
        "note: stage 1 trained its image encoder; vision.path must be what blip2-train export "
          + "--parts vision wrote of that run")
    }
    try noteOtherViews(file, progress)
    // The projection is new, and stage 1's text half and heads have no part in this.
    try file.load(into: qFormer.fromStageOne.namedParameters)
    progress.say("begun from stage 1, \(file.url.path) (step \(file.metadata.step))")
  }

  private func requireSameVision(_ file: any TrainedModel) throws {
    guard let then = try file.fingerprints(usedBy: configuration)["vision"] else { return }
    let now = tower.fingerprint
    if then != now {
      throw RunError.differsFromCheckpoint(
        file: file.url.path,
        differences: ["vision: it was trained with \(then), now it is \(now ?? "none")"],
        advice: "Name the same image encoder: --set vision.path=FOLDER.")
    }
  }

  /// Shapes alone do not tell everything: heads, and layers that stage 2 would leave out.
  private func requireSameQFormer(
    _ earlier: QFormerConfiguration, as file: any TrainedModel
  ) throws {
    let differences = try configuration.model.qFormer.differences(from: earlier, of: file)
    if !differences.isEmpty {
      throw RunError.differsFromCheckpoint(
        file: file.url.path, differences: differences,
        advice: "Take the Q-Former of that run's recipe, or begin without it by "
          + "--set stage1.checkpoint=none.")
    }
  }

  private func stageOneFile(_ report: (String) -> Void) throws -> any TrainedModel {
    let path = configuration.stage1.checkpoint
    try require(
      FileManager.default.fileExists(atPath: path), "stage1.checkpoint", found: path,
      expected: "a stage-1 checkpoint or the folder of a stage-1 run",
      advice: "there is nothing of that name\(WorkingFolder.hint(for: path)); train stage 1 first, "
        + "name another by --set stage1.checkpoint=PATH, or begin without by "
        + "--set stage1.checkpoint=none")
    return try TrainedModels.open(path, report: report)
  }

  /// Other features of the same encoder are allowed, but seldom meant.
  private func noteOtherViews(_ file: any TrainedModel, _ progress: ProgressReporter) throws {
    let earlier = try file.configuration(of: StageOneRecipe.self).vision
    func note(_ key: String, _ value: (VisionConfiguration) -> String?) {
      let (then, now) = (value(earlier), value(configuration.vision))
      if then == now { return }
      progress.say(
        "note: vision.\(key) was \(then ?? "null") in stage 1, now it is \(now ?? "null")")
    }
    note("layer") { $0.layer.map(String.init) }
    note("imageSize") { $0.imageSize.map(String.init) }
    note("finalNorm") { $0.finalNorm.map(String.init) }
    note("precision") { $0.precision?.rawValue }
  }
}
