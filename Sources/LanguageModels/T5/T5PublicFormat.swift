import Layers
import PublicFormats
import WeightFiles

/// T5 as Hugging Face folders hold it.
extension T5 {
  public static let modelTypes = ["t5"]

  public init(_ source: LanguageModelSource) throws {
    var configuration = try source.decoded(T5Configuration.self)
    try source.require(configuration.problem)
    let hasOutputTable = try T5.hasOutputTable(source, configuration)
    // Older files scale where the tables are one, and say nothing of it.
    configuration.scalesOutput =
      configuration.scalesOutput ?? (configuration.isTied && !hasOutputTable)
    self.init(configuration, hasOutputTable: hasOutputTable, ParameterInitialiser(seed: 0))
    try source.load(into: namedParameters, publicFormat)
  }

  /// Where both tables are stored and differ they are two, whatever the configuration says.
  private static func hasOutputTable(
    _ source: LanguageModelSource, _ configuration: T5Configuration
  ) throws -> Bool {
    let head = ["lm_head.weight"]
    guard source.storedName(head) != nil else {
      guard configuration.isTied else {
        throw WeightFileError.missingTensor(
          file: source.weights.url.path, tensor: "lm_head.weight")
      }
      return false
    }
    let words = format(isGated: false).fileNames(of: "wordEmbeddings")
    return try !configuration.isTied || source.storesBoth(head, words)
  }

  public var publicConfiguration: [String: Any] {
    var values = configuration.publicValues
    values["tie_word_embeddings"] = outputTable == nil
    values["scale_decoder_outputs"] = configuration.scalesOutput ?? (outputTable == nil)
    values["is_gated_act"] = configuration.isGated
    return values
  }

  public var publicFormat: PublicFormat { T5.format(isGated: configuration.isGated) }

  private static func format(isGated: Bool) -> PublicFormat {
    // The feed-forward is the last of a block's sublayers.
    let encoder = outer + block(feedForward: "layer.1", isGated: isGated)
    let decoder = outer + block(feedForward: "layer.2", isGated: isGated) + cross
    return PublicFormat(
      tables + encoder.beneath("encoder", "encoder") + decoder.beneath("decoder", "decoder"),
      spellings: ["encoder", "decoder"].map { ("shared.weight", "\($0).embed_tokens.weight") })
  }

  private static let tables: PublicNames = [
    "wordEmbeddings": "shared.weight", "outputTable": "lm_head.weight",
  ]

  private static let outer: PublicNames = [
    "distanceBiases": "block.0.layer.0.SelfAttention.relative_attention_bias.weight",
    "finalNorm": "final_layer_norm",
  ]

  private static let attention: PublicNames = [
    "query": "q", "key": "k", "value": "v", "output": "o",
  ]

  private static func block(feedForward: String, isGated: Bool) -> PublicNames {
    let norms: PublicNames = [
      "selfNorm": "layer.0.layer_norm", "feedForwardNorm": "\(feedForward).layer_norm",
    ]
    let maps: PublicNames = ["gate": "wi_0", "inner": isGated ? "wi_1" : "wi", "outer": "wo"]
    return
      (norms + attention.beneath("selfAttention", "layer.0.SelfAttention")
      + maps.beneath("feedForward", "\(feedForward).DenseReluDense")).beneath("blocks.#", "block.#")
  }

  private static let cross =
    (["crossNorm": "layer_norm"] + attention.beneath("crossAttention", "EncDecAttention"))
    .beneath("blocks.#", "block.#.layer.1")
}
