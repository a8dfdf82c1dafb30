import BLIP2
import Checkpointing
import Configuration
import Files
import Foundation
import PublicFormats
import Training
import VisionEncoders
import WeightFiles

/// What kind of BLIP-2 a public file or folder holds, and of which sizes.
struct PublicModelSizes {
  let form: PublicForm
  let weights: WeightFolder
  let qFormer: QFormerConfiguration
  /// The width of the features that stage 1 compares.
  private(set) var embeddingWidth = 256
  /// Whether its word embeddings have BERT's rows alone, without one for `[DEC]`.
  private(set) var lacksDecoderRow = false
  private(set) var notes: [String] = []

  /// BERT's own words, before `[DEC]`.
  private static let wordsOfBERT = 30_522
  /// BERT's width of a head.
  private static let headWidth = 64

  /// Its recipe, with the paths of what lies in it, and no data.
  /// - Parameter path: How the user names it.
  func metadata(path: String) throws -> CheckpointMetadata {
    func pathOf(_ prefix: String?) -> String? {
      form.names(beneath: prefix, in: weights).isEmpty ? nil : path
    }
    let vision = pathOf(form.visionPrefix)
    if form.kind == StageTwoRecipe.name {
      var recipe = StageTwoRecipe.Configuration()
      recipe.model.qFormer = qFormer
      recipe.stage1.checkpoint = StageOneSource.none
      recipe.vision.path = vision
      recipe.llm.path = pathOf(form.languageModelPrefix)
      return try metadata(recipe)
    }
    var recipe = StageOneRecipe.Configuration()
    recipe.model.qFormer = qFormer
    recipe.model.embeddingWidth = embeddingWidth
    recipe.model.objectives.generation = form == .authorsStageOne
    recipe.vision.path = vision
    recipe.data.maximumTextLength = min(recipe.data.maximumTextLength, qFormer.maximumPositions)
    return try metadata(recipe)
  }

  private func metadata(_ recipe: some RecipeConfiguration) throws -> CheckpointMetadata {
    CheckpointMetadata(
      kind: form.kind, step: 0, epoch: 0, dataPosition: 0, seed: recipe.run.seed,
      configuration: try ConfigurationLoader.yaml(recipe),
      programVersion: TrainingCheckpoints.programVersion)
  }
}

// MARK: Hugging Face's folders

extension PublicModelSizes {
  private struct Architectures: Decodable {
    let architectures: [String]?
  }

  private struct WholeModel: Decodable {
    let vision: EVAViTConfiguration

    enum CodingKeys: String, CodingKey { case vision = "vision_config" }
  }

  init(folder: URL) throws {
    let settings = folder.appendingPathComponent("config.json")
    func bad(_ reason: String) -> ModelConfigurationError {
      .bad(file: settings.path, reason: reason)
    }
    guard FileManager.default.fileExists(atPath: settings.path) else {
      throw bad(
        "not found; expected a Hugging Face folder of a BLIP-2; of the authors' (LAVIS) name the file "
          + "itself")
    }
    let file = try ModelConfigurationFile(settings)
    let type = try file.modelType()
    guard type == "blip-2" else {
      throw bad(
        "model_type: expected blip-2, found \(type); an image encoder is named by vision.path, a "
          + "language model by llm.path")
    }
    let sizes = try file.decoded(PublicBLIP2Configuration.self)
    if let problem = sizes.problem { throw bad(problem) }
    weights = try WeightFolder(folder)
    let architecture = try file.decoded(Architectures.self).architectures?.first
    guard let form = Self.form(architecture, weights) else {
      throw bad(
        "architectures: expected Blip2ForConditionalGeneration, Blip2Model or "
          + "Blip2ForImageTextRetrieval, found \(architecture ?? "none, and no tensors of theirs")")
    }
    self.form = form
    embeddingWidth = sizes.embeddingWidth
    var qFormer = sizes.queryTransformer(
      visionNormEpsilon: try file.decoded(WholeModel.self).vision.layerNormEpsilon)
    if form == .huggingFaceStageTwo {
      // There is no text half: these are whatever is usual.
      qFormer.vocabularySize = QFormerConfiguration().vocabularySize
      qFormer.maximumPositions = QFormerConfiguration().maximumPositions
    } else if qFormer.vocabularySize == Self.wordsOfBERT {
      (qFormer.vocabularySize, lacksDecoderRow) = (Self.wordsOfBERT + 1, true)
      notes.append("the word embeddings have no row for [DEC], which retrieval does not need")
    }
    self.qFormer = qFormer
    try requireSizes()
  }

  private static func form(_ architecture: String?, _ weights: WeightFolder) -> PublicForm? {
    switch architecture {
    case "Blip2ForConditionalGeneration", "Blip2Model": .huggingFaceStageTwo
    case "Blip2ForImageTextRetrieval": .huggingFaceRetrieval
    case nil where weights.contains("language_projection.weight"): .huggingFaceStageTwo
    case nil where weights.contains("itm_head.weight"): .huggingFaceRetrieval
    default: nil
    }
  }
}

// MARK: The authors' files

extension PublicModelSizes {
  init(file: URL) throws {
    weights = try WeightFolder(file)
    guard let form = Self.authorsForm(weights) else {
      throw ModelConfigurationError.bad(
        file: file.path,
        reason: "expected a BLIP-2 under its authors' names (query_tokens, Qformer.bert.…), found "
          + (weights.names.first.map { "tensors such as \($0)" } ?? "no tensors")
          + "; of a Hugging Face model name the folder with its config.json, an image encoder by "
          + "vision.path, a language model by llm.path")
    }
    self.form = form
    let tensors = FileSizes(weights: weights, form: form)
    var sizes = QFormerConfiguration()
    (sizes.queries, sizes.width) = try tensors.queries()
    sizes.layers = try tensors.layers()
    sizes.crossAttentionFrequency = try tensors.crossAttentionFrequency(layers: sizes.layers)
    sizes.feedForwardWidth = try tensors.size("qFormer.layers.0.queryFeedForward.inner.weight")
    if let heads = try AuthorsNotes(weights)?.heads {
      sizes.heads = heads
    } else {
      sizes.heads = max(1, sizes.width / Self.headWidth)
      notes.append(
        "the file does not say how many attention heads its Q-Former has: \(sizes.heads) are taken "
          + "unless model.qFormer.heads sets others, BERT's \(Self.headWidth) numbers each")
    }
    if form == .authorsStageOne {
      sizes.vocabularySize = try tensors.size("qFormer.wordEmbeddings")
      sizes.maximumPositions = try tensors.size("qFormer.positionEmbeddings")
      embeddingWidth = try tensors.size("visionProjection.weight")
    }
    qFormer = sizes
    try requireSizes()
  }

  private static func authorsForm(_ weights: WeightFolder) -> PublicForm? {
    guard weights.contains("query_tokens"),
      weights.names.contains(where: { $0.hasPrefix("Qformer.bert.encoder.") })
    else { return nil }
    let projections = ["opt_proj", "t5_proj", "llm_proj"]
    if let projection = projections.first(where: { weights.contains("\($0).weight") }) {
      return .authorsStageTwo(projection: projection)
    }
    return weights.contains("itm_head.weight") ? .authorsStageOne : nil
  }
}

/// Reads sizes off tensors, by our names of the parameters.
private struct FileSizes {
  let weights: WeightFolder
  let form: PublicForm

  private func shape(_ name: String) throws -> [Int] {
    try weights.shape(of: form.format.publicName(of: name))
  }

  /// The rows of a matrix.
  func size(_ name: String) throws -> Int { try shape(name).first ?? 0 }

  func queries() throws -> (count: Int, width: Int) {
    let found = try shape("qFormer.queryTokens")
    guard found.count == 3, found[0] == 1, found[1] > 0, found[2] > 0 else {
      throw WeightFileError.damagedTensor(
        file: weights.url.path, tensor: form.format.publicName(of: "qFormer.queryTokens"),
        expected: "[1, queries, width]", found: "\(found)")
    }
    return (found[1], found[2])
  }

  private static let layersName = "Qformer.bert.encoder.layer."

  private var numbers: Set<Int> {
    Set(
      weights.names.filter { $0.hasPrefix(Self.layersName) }.compactMap {
        Int($0.dropFirst(Self.layersName.count).prefix { $0 != "." })
      })
  }

  func layers() throws -> Int {
    let last = numbers.max() ?? -1
    try require((0..<512).contains(last), "1 to 512 layers", found: "layer \(last)")
    return last + 1
  }

  /// - Throws: `ModelConfigurationError` where layers with cross-attention are no multiples of one number.
  func crossAttentionFrequency(layers: Int) throws -> Int {
    let found = (0..<layers).filter {
      weights.contains("\(Self.layersName)\($0).crossattention.self.query.weight")
    }
    let frequency = found.count > 1 ? found[1] : layers
    try require(
      found == Array(stride(from: 0, to: layers, by: max(1, frequency))),
      "cross-attention in layers 0, n, 2n, …", found: "it in layers \(found)")
    return frequency
  }

  private func require(_ holds: Bool, _ expected: String, found: String) throws {
    guard !holds else { return }
    throw ModelConfigurationError.bad(
      file: weights.url.path, reason: "\(Self.layersName)N: expected \(expected), found \(found)")
  }
}

extension PublicModelSizes {
  /// Holds the sizes against the tensors, before a model of these sizes takes memory.
  /// - Throws: `WeightFileError`, naming the tensor and both shapes.
  private func requireSizes() throws {
    let width = qFormer.width
    try require("qFormer.queryTokens", [1, qFormer.queries, width])
    for layer in 0..<qFormer.layers {
      let name = "qFormer.layers.\(layer)"
      try require("\(name).selfAttention.query.weight", [width, width])
      try require("\(name).queryFeedForward.inner.weight", [qFormer.feedForwardWidth, width])
    }
    try refuseFurtherLayers()
    guard form.kind == StageOneRecipe.name else { return }
    let rows = qFormer.vocabularySize - (lacksDecoderRow ? 1 : 0)
    try require("qFormer.wordEmbeddings", [rows, width])
    try require("qFormer.positionEmbeddings", [qFormer.maximumPositions, width])
    try require("visionProjection.weight", [embeddingWidth, width])
  }

  /// Layers, or their cross-attention, that the sizes leave out are no part of the same model.
  private func refuseFurtherLayers() throws {
    let (layers, frequency) = (qFormer.layers, qFormer.crossAttentionFrequency)
    for tensor in weights.names {
      let parts = form.format.name(ofPublic: tensor)?.split(separator: ".") ?? []
      guard parts.count > 3, parts[..<2] == ["qFormer", "layers"], let layer = Int(parts[2]) else {
        continue
      }
      if layer >= layers || parts[3] == "crossAttention" && layer % frequency != 0 {
        throw ModelConfigurationError.bad(
          file: weights.url.path,
          reason:
            "tensor \(tensor): expected \(layers) layers, with cross-attention in layers 0, "
            + "\(frequency), …, as its sizes say")
      }
    }
  }

  private func require(_ name: String, _ expected: [Int]) throws {
    let tensor = form.format.publicName(of: name)
    let found = try weights.shape(of: tensor)
    if found != expected {
      throw WeightFileError.wrongShape(
        file: weights.url.path, tensor: tensor, expected: expected, found: found)
    }
  }
}
