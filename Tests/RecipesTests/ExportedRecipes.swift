import BLIP2
import Foundation
import PublicFormats
import TestSupport
import Testing
import Tokenizers
import VisionEncoders
import WeightFiles

@testable import Recipes

/// Recipes with the weights of goldens, to be written again.
enum ExportedRecipes {
  private struct Whole: Decodable {
    let vision: EVAViTConfiguration
    enum CodingKeys: String, CodingKey { case vision = "vision_config" }
  }

  /// The Q-Former of a folder of Hugging Face's.
  private static func sizes(_ folder: URL) throws -> (QFormerConfiguration, embeddingWidth: Int) {
    let file = try ModelConfigurationFile(folder.appendingPathComponent("config.json"))
    let sizes = try file.decoded(PublicBLIP2Configuration.self)
    let epsilon = try file.decoded(Whole.self).vision.layerNormEpsilon
    return (sizes.queryTransformer(visionNormEpsilon: epsilon), sizes.embeddingWidth)
  }

  /// A whole folder of Hugging Face's as a stage-2 recipe.
  static func stageTwo(_ golden: URL, in temporary: TemporaryFolder) throws -> StageTwoRecipe {
    let folder = try temporary.copy(golden, as: "golden")
    // The tokenizer's own end, as the language model by itself has it.
    let file = folder.appendingPathComponent("config.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    let end = try LanguageTokenizers.open(folder: folder).endId
    try Data(
      text.replacing(#/"eos_token_id": \d+/#, with: "\"eos_token_id\": \(end)").utf8
    ).write(to: file)
    var configuration = StageTwoRecipe.Configuration()
    configuration.output = temporary.path("run")
    configuration.model.qFormer = try sizes(folder).0
    configuration.vision.path = folder.path
    configuration.llm.path = folder.path
    configuration.stage1.checkpoint = "none"
    configuration.data.train.path = "Data/demo/heldout.jsonl"
    configuration.data.maximumTextLength = 16
    configuration.validation.generation.maximumNewTokens = 8
    let recipe = try StageTwoRecipe(configuration, reading: [])
    try PublicFormat.huggingFaceStageTwo.load(
      into: recipe.qFormer.namedParameters, from: WeightFolder(folder))
    return recipe
  }

  /// A retrieval model of Hugging Face's as a stage-1 recipe.
  static func retrieval(_ folder: URL, in temporary: TemporaryFolder) throws -> StageOneRecipe {
    let (sizes, embeddingWidth) = try sizes(folder)
    var configuration = try stageOne(sizes, embeddingWidth, in: temporary)
    configuration.vision.path = folder.path
    let recipe = try StageOneRecipe(configuration, reading: [])
    let format = PublicFormat.huggingFaceRetrieval
    try format.load(
      into: recipe.qFormer.namedParameters.filter { format.contains($0.name) },
      from: WeightFolder(folder))
    return recipe
  }

  /// The stage-1 model of a golden in the authors' names, with a new encoder of its width.
  static func authors(_ file: URL, in temporary: TemporaryFolder) throws -> StageOneRecipe {
    struct Sizes: Decodable {
      let width, layers, heads, ffn, vocab, queries, visionWidth, embed: Int
      let maxPositions, crossAttentionFrequency: Int
    }
    let given = try Golden(file).configuration(Sizes.self)
    var sizes = QFormerConfiguration()
    (sizes.width, sizes.layers, sizes.heads) = (given.width, given.layers, given.heads)
    (sizes.feedForwardWidth, sizes.vocabularySize) = (given.ffn, given.vocab)
    (sizes.queries, sizes.maximumPositions) = (given.queries, given.maxPositions)
    sizes.crossAttentionFrequency = given.crossAttentionFrequency
    var configuration = try stageOne(sizes, given.embed, in: temporary)
    configuration.vision.frozen = false
    configuration.vision.new.family = .eva
    configuration.vision.new.width = given.visionWidth
    (configuration.vision.new.layers, configuration.vision.new.heads) = (1, 2)
    (configuration.vision.new.patchSize, configuration.vision.new.imageSize) = (14, 28)
    let recipe = try StageOneRecipe(configuration, reading: [])
    var format = PublicFormat.lavis
    format.prefix = "weights/"
    try format.load(into: recipe.qFormer.namedParameters, from: WeightFolder(file))
    return recipe
  }

  private static func stageOne(
    _ sizes: QFormerConfiguration, _ embeddingWidth: Int, in temporary: TemporaryFolder
  ) throws -> StageOneRecipe.Configuration {
    var configuration = StageOneRecipe.Configuration()
    configuration.output = temporary.path("run")
    configuration.model.qFormer = sizes
    configuration.model.embeddingWidth = embeddingWidth
    configuration.data.train.path = "Data/demo/heldout.jsonl"
    configuration.data.maximumTextLength = 16
    // [DEC] comes behind it.
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    let words = special + (special.count..<sizes.vocabularySize - 1).map { "word\($0)" }
    let vocabulary = try temporary.write(
      words.joined(separator: "\n") + "\n", to: "vocabulary.txt")
    configuration.data.vocabulary = vocabulary.path
    return configuration
  }
}
