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
    let fields = gguf.fields
    width = try fields.integer("llama.embedding_length")
    feedForwardWidth = try fields.integer("llama.feed_forward_length")
    layers = try fields.integer("llama.block_count")
    heads = try fields.integer("llama.attention.head_count")
    keyHeads = try fields.ifPresent("llama.attention.head_count_kv", fields.integer) ?? heads
    headWidth =
      try fields.ifPresent("llama.attention.key_length", fields.integer) ?? width / max(1, heads)
    maximumPositions = try fields.integer("llama.context_length")
    epsilon = try fields.float("llama.attention.layer_norm_rms_epsilon")
    rotaryBase = try Double(fields.ifPresent("llama.rope.freq_base", fields.float) ?? 10_000)
    pairing = .neighbours
    isTied = !gguf.contains("output.weight")
    vocabularySize = try gguf.shape(of: "token_embd.weight").first ?? 0
    // What is out of range stays so, and is refused with the other sizes.
    func token(_ key: String) throws -> Int32 { Int32(clamping: try fields.integer(key)) }
    let end = try token("tokenizer.ggml.eos_token_id")
    tokens = LanguageModelTokens(
      start: try fields.ifPresent("tokenizer.ggml.bos_token_id", token), end: end,
      padding: try fields.ifPresent("tokenizer.ggml.padding_token_id", token) ?? end)
    try refuseVariants(gguf)
  }

  private func refuseVariants(_ gguf: GGUFFile) throws {
    let fields = gguf.fields
    let turned = try fields.ifPresent("llama.rope.dimension_count", fields.integer) ?? headWidth
    let scaling = try fields.ifPresent("llama.rope.scaling.type", fields.string) ?? "none"
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
  fileprivate func ifPresent<Value>(
    _ key: String, _ value: (String) throws -> Value
  ) throws -> Value? {
    contains(key) ? try value(key) : nil
  }
}
