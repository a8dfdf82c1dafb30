import Configuration
import Foundation
import LanguageModels
import Layers
import Tensors
import Training

extension LanguageModelRecipe {
  /// How a small language model is trained from scratch on texts: the keys of its YAML file.
  public struct Configuration: RecipeConfiguration, Equatable, Sendable {
    @Inlined public var run = RunConfiguration(
      of: LanguageModelRecipe.name, output: "Checkpoints/language-model")
    @Key(
      .input,
      "The folder of the tokenizer, into which the model is written at the end: `config.json` and "
        + "`model.safetensors` (float16).", resume: .free)
    public var folder = ""
    @Key("What is trained.", resume: .fixed)
    public var model = Sizes()
    @Key("Lists of texts of images, as for stage 1; the images themselves are not read.")
    public var texts = DataSourceConfiguration()
    @Key("Lower-cases texts and clears punctuation as stage 1 and stage 2 do to captions.")
    public var cleanTexts = true
    @Key(0...64, "Other texts of the same image that stand before a text, at most.")
    public var contextTexts = 3
    @Key(
      "What the texts begin with that are lists, as in \"Seen: left dog, right key\": texts, half "
        + "of them for a model without an encoder, are read after lists given as soft prompts are, a "
        + "vector for each phrase between commas, the sum of its words' embeddings. null: none.")
    public var listMark: String? = nil

    public init() {
      run.training.steps = 1000
      run.training.batchSize = 32
      run.training.clipNorm = 1
      run.log.every = 50
    }

    public var validationEvery: Int { 0 }

    var folderURL: URL { URL(fileURLWithPath: folder, isDirectory: true) }

    /// The kind and the sizes of the model.
    public struct Sizes: Codable, Equatable, Sendable {
      public enum Family: String, Codable, CaseIterable, Sendable {
        case opt, t5
      }

      @Key("What is trained: a decoder (OPT) or an encoder-decoder (T5).")
      public var family = Family.opt
      @Key(8...4096, "The width of the blocks.")
      public var width = 160
      @Key(1...64, "Blocks; of an encoder-decoder, in each half.")
      public var layers = 5
      @Key(1...64, "Attention heads; a divisor of the width.")
      public var heads = 5
      @Key(8...16_384, "The inner width of the feed-forward blocks.")
      public var feedForwardWidth = 640
      @Key(64...2048, "The positions of a decoder, and the longest text of both.")
      public var positions = 128
      @Key(0...100, "The standard deviation of new weights.")
      public var initialDeviation: Float = 0.02
      @Key("What a decoder's table of positions starts as; T5 has none.")
      public var initialPositions = PositionStart.normal

      public init() {}
    }

    public func check() throws {
      try checkRun()
      try model.check()
      try require(
        !folder.isEmpty, "folder", found: "nothing", expected: "the folder of a tokenizer",
        advice: "the model is written into it")
      try require(
        run.training.chunkSize == nil && !run.training.recomputeActivations, "training",
        found: "chunkSize or recomputeActivations", expected: "neither for so small a model")
    }
  }
}

extension LanguageModelRecipe {
  public static var starter: (configuration: Configuration, keys: [String: String]) {
    var configuration = Configuration()
    configuration.run.output = "runs/language-model"
    configuration.folder = "my/model"
    configuration.texts.path = "my/texts.jsonl"
    let keys = [
      "folder": "The tokenizer: tokenizer.json, vocab.json and merges.txt, or spiece.model.",
      "texts.path": "", "model.family": "", "model.width": "", "model.layers": "",
      "model.heads": "",
    ]
    return (configuration, Configuration.starterKeys.merging(keys) { $1 })
  }
}

extension LanguageModelRecipe.Configuration.Sizes {
  /// - Throws: `ConfigurationError.invalidValue`.
  fileprivate func check() throws {
    try require(
      width % heads == 0, "model.heads", found: heads, expected: "a divisor of the width \(width)")
    guard initialPositions == .sineCosine else { return }
    try require(
      family != .t5, "model.initialPositions", found: "sineCosine", expected: "normal",
      advice: "a T5 has no table of positions")
    try require(
      width % 2 == 0, "model.width", found: width,
      expected: "a multiple of 2 where model.initialPositions is sineCosine")
  }
}
