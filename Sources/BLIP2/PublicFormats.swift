import PublicFormats

extension PublicFormat {
  /// The authors' checkpoints (LAVIS) of stage 1.
  public static let lavis = PublicFormat(
    [
      "visionNorm": "ln_vision", "temperature": "temp", "visionProjection": "vision_proj",
      "textProjection": "text_proj", "matchingHead": "itm_head",
    ]
      + text(in: "Qformer.bert", head: "Qformer.cls.predictions")
      + queries(in: "Qformer.bert"))

  /// The authors' checkpoints (LAVIS) of stage 2.
  /// - Parameter projection: What they call the projection: `opt_proj`, `t5_proj` or, before Vicuna,
  ///   `llm_proj`.
  public static func lavisStageTwo(projection: String) -> PublicFormat {
    PublicFormat(
      ["visionNorm": "ln_vision", "languageProjection": projection]
        + embeddingNorm("Qformer.bert.embeddings.LayerNorm")
        + attention("selfAttention", "attention").beneath(
          "qFormer.layers.#", "Qformer.bert.encoder.layer.#")
        + queries(in: "Qformer.bert"))
  }

  /// What stage 2 trains, in Hugging Face's `Blip2ForConditionalGeneration`.
  public static let huggingFaceStageTwo = PublicFormat(
    [
      "visionNorm": "vision_model.post_layernorm", "languageProjection": "language_projection",
    ]
      + huggingFaceQueries)

  /// What of stage 1 Hugging Face's `Blip2ForImageTextRetrieval` has: all but the temperature and the
  /// language head.
  public static let huggingFaceRetrieval = PublicFormat(
    [
      "visionNorm": "vision_model.post_layernorm", "visionProjection": "vision_projection",
      "textProjection": "text_projection", "matchingHead": "itm_head",
      "qFormer.wordEmbeddings": "embeddings.word_embeddings.weight",
      "qFormer.positionEmbeddings": "embeddings.position_embeddings.weight",
    ]
      + feedForward("textFeedForward", "").beneath("qFormer.layers.#", "qformer.encoder.layer.#")
      + huggingFaceQueries)

  /// What both of Hugging Face's models have of the Q-Former.
  private static let huggingFaceQueries =
    embeddingNorm("qformer.layernorm")
    + attention("selfAttention", "attention", maps: "attention").beneath(
      "qFormer.layers.#", "qformer.encoder.layer.#")
    + queries(in: "qformer", maps: "attention")

  /// What a Q-Former takes from a BERT model. The file's names may begin with `bert.` or not, and norms
  /// may be called `gamma` and `beta`.
  static let bert = PublicFormat(
    text(in: "bert", head: "cls.predictions"),
    spellings: [
      ("bert.", ""), ("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta"),
    ])

  /// What BERT has: embeddings, self-attention, feed-forwards of text and the language head.
  private static func text(in bert: String, head: String) -> PublicNames {
    let embeddings: PublicNames = [
      "wordEmbeddings": "word_embeddings.weight",
      "positionEmbeddings": "position_embeddings.weight", "embeddingNorm": "LayerNorm",
    ]
    let languageHead: PublicNames = [
      "bias": "bias", "transform": "transform.dense", "norm": "transform.LayerNorm",
    ]
    return embeddings.beneath("qFormer", "\(bert).embeddings")
      + languageHead.beneath("languageHead", head)
      + (attention("selfAttention", "attention") + feedForward("textFeedForward", ""))
      .beneath("qFormer.layers.#", "\(bert).encoder.layer.#")
  }

  private static func embeddingNorm(_ theirs: String) -> PublicNames {
    ["qFormer.embeddingNorm": theirs]
  }

  /// What the queries have beside it.
  private static func queries(in bert: String, maps: String = "self") -> PublicNames {
    ["qFormer.queryTokens": "query_tokens"]
      + (attention("crossAttention", "crossattention", maps: maps)
      + feedForward("queryFeedForward", "_query"))
      .beneath("qFormer.layers.#", "\(bert).encoder.layer.#")
  }

  private static func attention(
    _ ours: String, _ theirs: String, maps: String = "self"
  ) -> PublicNames {
    let names: PublicNames = [
      "query": "\(maps).query", "key": "\(maps).key", "value": "\(maps).value",
      "output": "output.dense", "norm": "output.LayerNorm",
    ]
    return names.beneath(ours, theirs)
  }

  private static func feedForward(_ ours: String, _ suffix: String) -> PublicNames {
    [
      "\(ours).inner": "intermediate\(suffix).dense", "\(ours).output": "output\(suffix).dense",
      "\(ours).norm": "output\(suffix).LayerNorm",
    ]
  }
}
