import PublicFormats

/// What the `config.json` of Hugging Face's BLIP-2 models says beside its image encoder and its language
/// model. Keys that it leaves out have the values that the transformers library gives them.
public struct PublicBLIP2Configuration: PublicConfiguration {
  public var qFormer = PublicQFormerConfiguration()
  public var queries = 32
  /// The width of the features that retrieval compares.
  public var embeddingWidth = 256
  /// The token that stands in prompts where a query's output goes; nil in files of earlier releases.
  public var imageToken: Int?

  public init() {}

  public static var fields: [PublicField<PublicBLIP2Configuration>] {
    [
      .part("qformer_config", \.qFormer),
      .size("num_query_tokens", \.queries, upTo: 4096),
      .size("image_text_hidden_size", \.embeddingWidth, upTo: 65_536),
      PublicField(
        "image_token_index",
        read: { values, key, sizes in
          if values.has(key) { sizes.imageToken = try values.size(key) }
        },
        problem: {
          ($0.imageToken ?? 0) >= 0 ? nil : "expected a token, found \($0.imageToken ?? 0)"
        }, write: { $0.imageToken }),
      .constant("model_type", "blip-2"),
    ]
  }
}

extension PublicBLIP2Configuration {
  /// The Q-Former that it describes.
  /// - Parameter visionNormEpsilon: What the image encoder's norms add to the variance, the norm over its
  ///   features among them.
  public func queryTransformer(visionNormEpsilon: Float) -> QFormerConfiguration {
    var sizes = qFormer.sizes
    sizes.queries = queries
    sizes.visionNormEpsilon = visionNormEpsilon
    return sizes
  }
}

/// The sizes of a Q-Former, as the `qformer_config` of a public BLIP-2 gives them.
public struct PublicQFormerConfiguration: PublicConfiguration {
  public var sizes = QFormerConfiguration()
  /// The width of the image features.
  public var visionWidth = 1408
  /// Whether it has feed-forwards of text beside those of the queries.
  public var readsText = false

  public init() { sizes.vocabularySize = 30_522 }

  public static var fields: [PublicField<PublicQFormerConfiguration>] {
    [
      .size("hidden_size", \.sizes.width, upTo: 16_384),
      .size("num_hidden_layers", \.sizes.layers, upTo: 512),
      .size("num_attention_heads", \.sizes.heads, upTo: 1024),
      .size("intermediate_size", \.sizes.feedForwardWidth, upTo: 131_072),
      .size("cross_attention_frequency", \.sizes.crossAttentionFrequency, upTo: 512),
      .size("encoder_hidden_size", \.visionWidth, upTo: 16_384),
      .size("max_position_embeddings", \.sizes.maximumPositions, upTo: 65_536),
      .size("vocab_size", \.sizes.vocabularySize, upTo: 1 << 24),
      .epsilon("layer_norm_eps", \.sizes.layerNormEpsilon),
      .number("hidden_dropout_prob", \.sizes.dropout),
      .number("initializer_range", \.sizes.initialDeviation),
      .flag("use_qformer_text_input", \.readsText),
      .fixed("hidden_act", "gelu"), .fixed("position_embedding_type", "absolute"),
      .constant("model_type", "blip_2_qformer"),
    ]
  }

  public var conflict: String? {
    sizes.width % sizes.heads == 0
      ? nil : "num_attention_heads: \(sizes.heads) does not divide \(sizes.width)"
  }
}
