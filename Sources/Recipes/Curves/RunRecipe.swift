import Checkpointing
import Configuration
import Files
import Foundation
import LanguageModels
import Training

/// What of a run's recipe its curves are judged by, as its newest sound checkpoint has it.
struct RunRecipe: Equatable {
  /// `stage1` or `stage2`.
  var stage: String
  var seed: UInt64
  var training = TrainingConfiguration()
  /// The vocabulary that words are predicted among; nil where the language model is not there.
  var vocabularySize: Int?
  var contrastSmoothing = 0.0
  var generationSmoothing = 0.0
  /// The divisor of the similarities at the checkpoint, and where it began.
  var temperature: Double?
  var initialTemperature = 0.07
  /// What decides the curves, beside the seed; see `allSettings`.
  var settings: [String: String] = [:]

  /// The pairs that are compared with one another.
  var batchSize: Int { training.batchSize }
  var warmupSteps: Int { training.learningRate.warmupSteps }

  /// The step from which a run should have left the starting values of its losses: three times the
  /// warm-up, and a hundred steps more than it, if the run is so long.
  var settledStep: Int {
    let warmup = min(max(0, warmupSteps), 1 << 40)
    return min(training.steps, max(3 * warmup, warmup + 100))
  }
}

extension RunRecipe {
  /// - Parameter report: Is told of each newer checkpoint that was passed over.
  /// - Throws: `CheckpointError`, `RunError` or `ConfigurationError`.
  init(folder: String, report: (String) -> Void) throws {
    let file = try CheckpointFile.open(fileOrFolder: folder, report: report)
    if file.metadata.kind == StageTwoRecipe.name {
      self.init(
        try file.usableConfiguration(of: StageTwoRecipe.self, report: { _ in }), of: file)
    } else {
      self.init(
        try file.usableConfiguration(of: StageOneRecipe.self, report: { _ in }), of: file)
    }
  }

  /// Why a recipe could not be read, in one line.
  static func reason(_ error: any Error) -> String {
    if case RunError.noCheckpoint(let folder, let passedOver, _) = error {
      return (["no sound checkpoint in \(folder)"] + passedOver).joined(separator: "; ")
    }
    let words = (error as? any LocalizedError)?.errorDescription ?? String(describing: error)
    return words.split(separator: "\n").joined(separator: "; ")
  }

  private init(_ recipe: StageOneRecipe.Configuration, of file: CheckpointFile) {
    self.init(stage: StageOneRecipe.name, seed: file.metadata.seed, training: recipe.training)
    vocabularySize = recipe.model.qFormer.vocabularySize
    contrastSmoothing = Double(recipe.model.labelSmoothing.contrast)
    generationSmoothing = Double(recipe.model.labelSmoothing.generation)
    temperature = (try? file.read("model/temperature"))?.first.map(Double.init)
    initialTemperature = Double(recipe.model.initialTemperature)
    var same = RunRecipe.withoutPlaces(recipe)
    same.validation = .init()
    settings = allSettings(same, of: file)
  }

  private init(_ recipe: StageTwoRecipe.Configuration, of file: CheckpointFile) {
    self.init(stage: StageTwoRecipe.name, seed: file.metadata.seed, training: recipe.training)
    vocabularySize = recipe.llm.path.flatMap { path in
      let url = URL(fileURLWithPath: recipe.llm.resolved(path))
      return (try? LanguageModelSource(url).vocabularySize()) ?? nil
    }
    var same = RunRecipe.withoutPlaces(recipe)
    same.validation = .init()
    (same.llm.path, same.llm.tokenizer) = (nil, nil)
    if recipe.stage1.checkpoint != StageOneSource.none { same.stage1.checkpoint = "" }
    settings = allSettings(same, of: file)
    settings["stage1Step"] = RunRecipe.step(ofCheckpoint: recipe.stage1.checkpoint).map(String.init)
  }

  /// What decides the curves: the numbers that people look for by name, digests of what was read, and
  /// one of the whole recipe without its places, seed, and what only looks on.
  private func allSettings<Configuration: RecipeConfiguration>(
    _ recipe: Configuration, of file: CheckpointFile
  ) -> [String: String] {
    var settings = [
      "stage": stage, "steps": String(training.steps), "batchSize": String(training.batchSize),
      "accumulation": String(training.accumulation), "warmupSteps": String(warmupSteps),
      "peakLearningRate": String(training.learningRate.peak),
      "precision": recipe.precision.rawValue,
    ]
    for (name, digest) in file.metadata.fingerprints {
      settings["\(name)Digest"] = String(digest.prefix(16))
    }
    // Only what is not as usual: so a key that later versions have does not make it another recipe.
    let usual = Configuration()
    if let own = try? KeyDifference.between(usual, recipe, like: usual) {
      let lines = own.map(\.line).sorted().joined(separator: "\n")
      settings["recipeDigest"] = SHA256.hash(lines.utf8).prefix(8).hexadecimal
    }
    return settings
  }

  /// How long stage 1 was trained that stage 2 goes on from, by the names of its checkpoints.
  private static func step(ofCheckpoint path: String) -> Int? {
    let url = URL(fileURLWithPath: path)
    if let step = CheckpointFolder.step(ofFileName: url.lastPathComponent) { return step }
    return (try? CheckpointFolder(existing: url).entries())?.last?.step
  }

  /// The recipe without its places, its seed, and what only looks on.
  private static func withoutPlaces<Configuration: ImageTextConfiguration>(
    _ recipe: Configuration
  ) -> Configuration {
    var recipe = recipe
    recipe.data = withoutPlaces(recipe.data)
    recipe.vision = withoutPlaces(recipe.vision)
    recipe.initialise = withoutPlaces(recipe.initialise)
    (recipe.version, recipe.output, recipe.seed) = (ConfigurationLoader.recipeVersion, "", 0)
    (recipe.checkpoint, recipe.log, recipe.resume) = (.init(), .init(), .init())
    return recipe
  }

  /// Digests stand for what lies at the paths; how it is read ahead changes nothing.
  private static func withoutPlaces(_ data: DataConfiguration) -> DataConfiguration {
    var data = data
    let usual = DataConfiguration()
    (data.train.path, data.train.reading.imageFolder) = (nil, nil)
    for index in data.train.mix.indices {
      data.train.mix[index].path = ""
      data.train.mix[index].reading.imageFolder = nil
    }
    (data.validation, data.vocabulary) = (usual.validation, usual.vocabulary)
    (data.workers, data.prefetchedBatches) = (usual.workers, usual.prefetchedBatches)
    return data
  }

  private static func withoutPlaces(_ vision: VisionConfiguration) -> VisionConfiguration {
    var vision = vision
    vision.path = vision.path.map { _ in "" }
    vision.cacheFolder = VisionConfiguration().cacheFolder
    return vision
  }

  private static func withoutPlaces(_ start: InitialiseConfiguration) -> InitialiseConfiguration {
    var start = start
    start.bert = start.bert.map { _ in "" }
    start.from = start.from.map { _ in "" }
    return start
  }

  /// What differs, in words.
  static func differences(_ first: [String: String], _ second: [String: String]) -> [String] {
    Set(first.keys).union(second.keys).sorted().filter { first[$0] != second[$0] }.map {
      "\($0): \(first[$0] ?? "none") and \(second[$0] ?? "none")"
    }
  }
}
