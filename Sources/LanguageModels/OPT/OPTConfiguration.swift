import Autograd
import Layers
import WeightFiles

/// The sizes of an OPT model (Zhang et al. 2022), as the public `config.json` gives them. Keys that it
/// leaves out have the values that the transformers library gives them.
public struct OPTConfiguration: Decodable, Equatable, Sendable {
  public var width = 768
  public var layers = 12
  public var heads = 12
  public var feedForwardWidth = 3072
  public var vocabularySize = 50_272
  /// The longest sequence.
  public var maximumPositions = 2048
  /// The width of the word embeddings; where it is not `width`, they are projected (OPT-350m).
  public var embeddingWidth = 768
  /// Whether norms stand before attention and feed-forward; after them in OPT-350m.
  public var normsComeFirst = true
  public var tokens = LanguageModelTokens(start: 2, end: 2, padding: 1)
  var activation = Activation.relu
  /// Whether the norm after the last block is left out.
  var omitsFinalNorm = false
  /// The standard deviation of new weights.
  public var initialDeviation: Float = 0.02
  /// What a new table of positions holds.
  public var initialPositions = PositionStart.normal

  public init() {}

  enum CodingKeys: String, CodingKey {
    case width = "hidden_size"
    case layers = "num_hidden_layers"
    case heads = "num_attention_heads"
    case feedForwardWidth = "ffn_dim"
    case vocabularySize = "vocab_size"
    case maximumPositions = "max_position_embeddings"
    case embeddingWidth = "word_embed_proj_dim"
    case normsComeFirst = "do_layer_norm_before"
    case omitsFinalNorm = "_remove_final_layer_norm"
    case hasBias = "enable_bias"
    case hasNormWeights = "layer_norm_elementwise_affine"
    case activation = "activation_function"
    case start = "bos_token_id"
    case end = "eos_token_id"
    case padding = "pad_token_id"
    case isTied = "tie_word_embeddings"
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    width = try values.size(.width, usually: width)
    layers = try values.size(.layers, usually: layers)
    heads = try values.size(.heads, usually: heads)
    feedForwardWidth = try values.size(.feedForwardWidth, usually: feedForwardWidth)
    vocabularySize = try values.size(.vocabularySize, usually: vocabularySize)
    maximumPositions = try values.size(.maximumPositions, usually: maximumPositions)
    embeddingWidth = try values.size(.embeddingWidth, usually: width)
    normsComeFirst = try values.decodeIfPresent(Bool.self, forKey: .normsComeFirst) ?? true
    omitsFinalNorm = try values.decodeIfPresent(Bool.self, forKey: .omitsFinalNorm) ?? false
    activation = try values.languageActivation(.activation, usually: .relu)
    tokens = LanguageModelTokens(
      start: try values.token(.start, usually: 2), end: try values.token(.end, usually: 2),
      padding: try values.token(.padding, usually: 1))
    for key in [CodingKeys.hasBias, .hasNormWeights, .isTied] {
      try values.require(key, toBe: true)
    }
  }

  /// What is wrong with the numbers, if anything is.
  var problem: String? {
    let sizes = [
      ("hidden_size", width, 65_536), ("num_hidden_layers", layers, 512),
      ("num_attention_heads", heads, 1024), ("ffn_dim", feedForwardWidth, 1 << 20),
      ("vocab_size", vocabularySize, 1 << 22),
      ("max_position_embeddings", maximumPositions, 1 << 22),
      ("word_embed_proj_dim", embeddingWidth, 65_536),
    ]
    return LanguageModelSizes.problem(sizes, tokens: tokens, vocabularySize: vocabularySize)
      ?? (width % heads == 0 ? nil : "num_attention_heads: \(heads) does not divide \(width)")
  }
}

extension OPTConfiguration {
  /// OPT-125M.
  public static let opt125M = sizes(width: 768, layers: 12, heads: 12)
  /// OPT-1.3B.
  public static let opt1B = sizes(width: 2048, layers: 24, heads: 32)
  /// OPT-2.7B, the smaller of the two that BLIP-2 takes.
  public static let opt3B = sizes(width: 2560, layers: 32, heads: 32)

  private static func sizes(width: Int, layers: Int, heads: Int) -> OPTConfiguration {
    var sizes = OPTConfiguration()
    sizes.width = width
    sizes.embeddingWidth = width
    sizes.layers = layers
    sizes.heads = heads
    sizes.feedForwardWidth = 4 * width
    return sizes
  }
}
