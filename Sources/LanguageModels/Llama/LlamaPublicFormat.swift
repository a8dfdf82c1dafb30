import Layers
import PublicFormats
import WeightFiles

/// Llama as Hugging Face folders and GGUF files hold it.
extension Llama {
  public static let modelTypes = ["llama"]

  public init(_ source: LanguageModelSource) throws {
    if let gguf = source.weights.gguf {
      let configuration = try LlamaConfiguration(gguf)
      try source.require(configuration.problem)
      self.init(configuration, ParameterInitialiser(seed: 0))
      try source.load(into: namedParameters, Llama.ggufFormat)
      return
    }
    var configuration = try source.decoded(LlamaConfiguration.self)
    try source.require(configuration.problem)
    // Some files say that the tables are one and store both.
    configuration.isTied =
      configuration.isTied && source.storedName(["lm_head.weight"]) == nil
    self.init(configuration, ParameterInitialiser(seed: 0))
    try source.load(into: namedParameters, publicFormat)
  }

  public var publicConfiguration: [String: Any] { configuration.publicValues }

  public var publicFormat: PublicFormat { Llama.publicFormat }

  private static let publicFormat = PublicFormat(
    [
      "wordEmbeddings": "model.embed_tokens.weight", "outputTable": "lm_head.weight",
      "finalNorm": "model.norm",
    ]
      + ([
        "attentionNorm": "input_layernorm", "query": "self_attn.q_proj",
        "key": "self_attn.k_proj", "value": "self_attn.v_proj", "output": "self_attn.o_proj",
        "feedForwardNorm": "post_attention_layernorm", "gate": "mlp.gate_proj",
        "inner": "mlp.up_proj", "outer": "mlp.down_proj",
      ] as PublicNames).beneath("blocks.#", "model.layers.#"),
    spellings: [("model.", "")])

  static let ggufFormat = PublicFormat(
    [
      "wordEmbeddings": "token_embd.weight", "outputTable": "output.weight",
      "finalNorm": "output_norm",
    ]
      + ([
        "attentionNorm": "attn_norm", "query": "attn_q", "key": "attn_k", "value": "attn_v",
        "output": "attn_output", "feedForwardNorm": "ffn_norm", "gate": "ffn_gate",
        "inner": "ffn_up", "outer": "ffn_down",
      ] as PublicNames).beneath("blocks.#", "blk.#"))
}

extension LlamaConfiguration {
  /// The sizes that a GGUF file gives; its queries and keys are ordered for neighbouring pairs.
  /// - Throws: `WeightFileError`, naming the key.
  init(_ gguf: GGUFFile) throws {
    self.init()
    width = try gguf.fields.integer("llama.embedding_length")
    feedForwardWidth = try gguf.fields.integer("llama.feed_forward_length")
    layers = try gguf.fields.integer("llama.block_count")
    heads = try gguf.fields.integer("llama.attention.head_count")
    keyHeads = try gguf.fields.integerIfPresent("llama.attention.head_count_kv") ?? heads
    headWidth =
      try gguf.fields.integerIfPresent("llama.attention.key_length") ?? width / max(1, heads)
    maximumPositions = try gguf.fields.integer("llama.context_length")
    epsilon = try gguf.fields.float("llama.attention.layer_norm_rms_epsilon")
    rotaryBase = try gguf.fields.floatIfPresent("llama.rope.freq_base").map(Double.init) ?? 10_000
    pairing = .neighbours
    isTied = !gguf.contains("output.weight")
    vocabularySize = try gguf.shape(of: "token_embd.weight").first ?? 0
    let end = Int32(clamping: try gguf.fields.integer("tokenizer.ggml.eos_token_id"))
    tokens = LanguageModelTokens(
      start: try gguf.fields.token("tokenizer.ggml.bos_token_id"), end: end,
      padding: try gguf.fields.token("tokenizer.ggml.padding_token_id") ?? end)
    try refuseVariants(gguf)
  }

  private func refuseVariants(_ gguf: GGUFFile) throws {
    let turned = try gguf.fields.integerIfPresent("llama.rope.dimension_count") ?? headWidth
    let scaling = try gguf.fields.stringIfPresent("llama.rope.scaling.type") ?? "none"
    var problem: String?
    if turned != headWidth {
      problem = "llama.rope.dimension_count: expected the head width \(headWidth), found \(turned)"
    } else if scaling != "none" {
      problem = "llama.rope.scaling.type: expected none, found \(scaling)"
    } else if gguf.contains("rope_freqs.weight") {
      problem = "rope_freqs.weight: frequencies of their own"
    } else if let bias = gguf.names.first(where: { $0.hasSuffix(".bias") }) {
      problem = "\(bias): biases"
    }
    if let problem {
      throw ModelConfigurationError.bad(
        file: gguf.file.path, reason: problem + " (not supported)")
    }
  }
}

extension GGUFFields {
  fileprivate func integerIfPresent(_ key: String) throws -> Int? {
    contains(key) ? try integer(key) : nil
  }

  fileprivate func floatIfPresent(_ key: String) throws -> Float? {
    contains(key) ? try float(key) : nil
  }

  fileprivate func stringIfPresent(_ key: String) throws -> String? {
    contains(key) ? try string(key) : nil
  }

  fileprivate func token(_ key: String) throws -> Int32? {
    // What is out of range stays so, and is refused with the other sizes.
    try integerIfPresent(key).map { Int32(clamping: $0) }
  }
}
