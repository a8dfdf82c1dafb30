import BLIP2
import Configuration
import Datasets
import Files
import Foundation
import Layers
import Reporting
import Tensors
import Training
import WeightFiles

/// Stage 1: the Q-Former on image-text pairs, by contrast, matching and generation (Li et al. 2023, §3.1).
public struct StageOneRecipe: ImageTextRecipe {
  public static let name = "stage1"
  public func next(after output: String) -> String? {
    data.validation == nil
      ? "blip2-train caption --checkpoint \(output) --image FILE"
      : "blip2-train evaluate retrieval --checkpoint \(output)"
  }
  public static let ownSections: [String] = []
  public static let filesAdvice =
    "Name what it was trained with: --set vision.path=FOLDER, --set data.vocabulary=FILE."

  public let configuration: Configuration
  public let tower: VisionTower
  public let data: RunData
  let qFormer: StageOneModel
  let tokenizer: CaptionTokenizer

  public init(
    _ configuration: Configuration, reading parts: Set<DataPart> = Set(DataPart.allCases)
  ) throws {
    try configuration.check()
    self.configuration = configuration
    (tower, data) = try configuration.opened(reading: parts)
    tokenizer = try CaptionTokenizer(configuration.data)
    var model = try StageOneRecipe.qFormer(configuration, tower: tower, tokenizer: tokenizer)
    model.multiply(in: configuration.precision)
    model.recomputesActivations = configuration.training.recomputeActivations
    qFormer = model
  }

  public var model: RecipeModel {
    RecipeModel(
      bridge: qFormer, vision: tower.encoder,
      visionRateScale: configuration.vision.learningRateScale)
  }

  public static func captionReader(
    _ configuration: Configuration
  ) throws -> (String) -> CaptionTokens { try CaptionTokenizer(configuration.data).read }

  public var captionReader: @Sendable (String) -> CaptionTokens {
    { [tokenizer] in tokenizer.read($0) }
  }

  private static func qFormer(
    _ configuration: Configuration, tower: VisionTower, tokenizer: CaptionTokenizer
  ) throws -> StageOneModel {
    let words = tokenizer.tokenizer
    guard words.vocabularySize == configuration.model.qFormer.vocabularySize else {
      throw RunError.vocabularyMismatch(
        file: configuration.data.vocabularyFile.path, tokens: words.vocabularySize,
        model: configuration.model.qFormer.vocabularySize)
    }
    let positions = configuration.model.qFormer.maximumPositions
    try require(
      configuration.data.maximumTextLength <= positions, "data.maximumTextLength",
      found: configuration.data.maximumTextLength,
      expected: "at most model.qFormer.maximumPositions, \(positions)")
    return StageOneModel(
      configuration.model, visionWidth: tower.encoder.width,
      tokens: .init(separator: words.separatorId, decoder: words.decoderId),
      seed: configuration.seed)
  }

  // MARK: What a run is asked for

  public func textFingerprints() throws -> [String: String] {
    ["vocabulary": try Fingerprint.ofFile(configuration.data.vocabularyFile)]
  }

  public var reckoning: Reckoning {
    let sizes = configuration.model.qFormer
    let pairs = configuration.training.chunkSize ?? configuration.training.batchSize
    // Queries by themselves and with three texts; texts by themselves, after [DEC] and with images.
    let rows = 4 * sizes.queries + 5 * Reckoning.usualTextLength
    let encoder =
      configuration.vision.frozen
      ? 0
      : Reckoning.activations(
        rows: configuration.training.batchSize
          * tower.encoder.tokenCount(height: tower.imageSize, width: tower.imageSize),
        layers: tower.encoder.layerCount, width: tower.encoder.width)
    return Reckoning(
      configuration, model.trainedParameters,
      activations: encoder + configuration.imagesReadAhead
        + Reckoning.activations(
          rows: min(pairs, configuration.training.batchSize) * rows,
          layers: configuration.training.recomputeActivations ? 1 : sizes.layers,
          width: sizes.width))
  }

  public func initialise(_ progress: ProgressReporter) throws {
    let isDone = try configuration.initialise.begin(
      progress, bert: qFormer.initialise(fromBERT:), model: initialise(from:_:))
    if !isDone { qFormer.qFormer.copyTextFeedForwardsToQueries() }
  }

  /// Takes what was trained earlier; the optimiser and the schedule start afresh.
  private func initialise(from file: any TrainedModel, _ progress: ProgressReporter) throws {
    let earlier = try file.configuration(of: StageOneRecipe.self).model.qFormer
    for line in try configuration.model.qFormer.differences(from: earlier, of: file) {
      progress.say("note: \(line)")
    }
    let then = try file.fingerprints(usedBy: configuration)["vision"]
    if let then, let now = tower.fingerprint, then != now {
      progress.say("note: \(file.url.path) was trained with another image encoder, \(then)")
    }
    let report = try file.loadWhatIsThere(into: model.trainedParameters)
    progress.say(lists: report.lists)
  }
}
