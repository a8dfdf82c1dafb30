import Autograd
import Layers
import PublicFormats

/// The sizes of an OPT model (Zhang et al. 2022), as the public `config.json` gives them. Keys that it
/// leaves out have the values that the transformers library gives them.
public struct OPTConfiguration: LanguageModelConfiguration {
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

  public static var fields: [PublicField<OPTConfiguration>] {
    [
      .size("hidden_size", \.width, upTo: 65_536),
      .size("num_hidden_layers", \.layers, upTo: 512),
      .size("num_attention_heads", \.heads, upTo: 1024),
      .size("ffn_dim", \.feedForwardWidth, upTo: 1 << 20),
      .size("vocab_size", \.vocabularySize, upTo: 1 << 22),
      .size("max_position_embeddings", \.maximumPositions, upTo: 1 << 22),
      .size("word_embed_proj_dim", \.embeddingWidth, upTo: 65_536, usually: \.width),
      .flag("do_layer_norm_before", \.normsComeFirst),
      .flag("_remove_final_layer_norm", \.omitsFinalNorm),
      .activation("activation_function", \.activation),
      start,
      .token("eos_token_id", \.tokens.end), .token("pad_token_id", \.tokens.padding),
      .fixed("enable_bias", true), .fixed("layer_norm_elementwise_affine", true),
      .fixed("tie_word_embeddings", true), .constant("architectures", ["OPTForCausalLM"]),
      .constant("model_type", "opt"),
    ]
  }

  /// A file that does not say it means 2; a model without one begins with its end.
  private static var start: PublicField<OPTConfiguration> {
    let field = PublicField<OPTConfiguration>.token(
      "bos_token_id", optional: \.tokens.start, usually: 2)
    return field.written { Int($0.tokens.start ?? $0.tokens.end) }
  }

  public var conflict: String? {
    width % heads == 0 ? nil : "num_attention_heads: \(heads) does not divide \(width)"
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
