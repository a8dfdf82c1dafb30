import Autograd
import WeightFiles

/// The sizes of a Llama (Touvron et al. 2023), as the public `config.json` gives them. Keys that it
/// leaves out have the values that the transformers library gives them.
public struct LlamaConfiguration: Decodable, Equatable, Sendable {
  public var width = 4096
  public var feedForwardWidth = 11_008
  public var layers = 32
  public var heads = 32
  /// Heads of keys and values; several query heads share one (Ainslie et al. 2023).
  public var keyHeads = 32
  public var headWidth = 128
  public var vocabularySize = 32_000
  public var maximumPositions = 2048
  public var epsilon: Float = 1e-6
  /// The base of the rotary positions' frequencies.
  public var rotaryBase = 10_000.0
  var pairing = RotaryPositions.Pairing.halves
  /// Whether the output table is that of the word embeddings.
  public var isTied = false
  public var tokens = LanguageModelTokens(start: 1, end: 2, padding: 2)
  var activation = Activation.silu
  /// The standard deviation of new weights.
  var initialDeviation: Float = 0.02

  public init() {}

  enum CodingKeys: String, CodingKey {
    case width = "hidden_size"
    case feedForwardWidth = "intermediate_size"
    case layers = "num_hidden_layers"
    case heads = "num_attention_heads"
    case keyHeads = "num_key_value_heads"
    case headWidth = "head_dim"
    case vocabularySize = "vocab_size"
    case maximumPositions = "max_position_embeddings"
    case epsilon = "rms_norm_eps"
    case rotaryBase = "rope_theta"
    case rotary = "rope_parameters"
    case scaling = "rope_scaling"
    case isTied = "tie_word_embeddings"
    case start = "bos_token_id"
    case end = "eos_token_id"
    case padding = "pad_token_id"
    case activation = "hidden_act"
    case hasAttentionBias = "attention_bias"
    case hasFeedForwardBias = "mlp_bias"
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    width = try values.size(.width, usually: width)
    feedForwardWidth = try values.size(.feedForwardWidth, usually: feedForwardWidth)
    layers = try values.size(.layers, usually: layers)
    heads = try values.size(.heads, usually: heads)
    keyHeads = try values.sizeIfPresent(.keyHeads) ?? heads
    headWidth = try values.sizeIfPresent(.headWidth) ?? width / max(1, heads)
    vocabularySize = try values.size(.vocabularySize, usually: vocabularySize)
    maximumPositions = try values.size(.maximumPositions, usually: maximumPositions)
    epsilon = try values.number(.epsilon, usually: epsilon)
    isTied = try values.decodeIfPresent(Bool.self, forKey: .isTied) ?? false
    activation = try values.languageActivation(.activation, usually: .silu)
    let ends = try values.tokensIfPresent(.end)
    let end = ends.first ?? 2
    tokens = LanguageModelTokens(
      start: try values.tokenIfPresent(.start), end: end,
      padding: try values.token(.padding, usually: end))
    tokens.furtherEnds = Array(ends.dropFirst())
    try values.require(.hasAttentionBias, toBe: false)
    try values.require(.hasFeedForwardBias, toBe: false)
    try readRotary(values)
  }

  /// The base stands by itself in older files, among the rotary parameters in newer ones.
  private mutating func readRotary(_ values: KeyedDecodingContainer<CodingKeys>) throws {
    let rotary = try values.decodeIfPresent(Rotary.self, forKey: .rotary)
    rotaryBase =
      try rotary?.base ?? values.decodeIfPresent(Double.self, forKey: .rotaryBase) ?? rotaryBase
    for key in [CodingKeys.rotary, .scaling] {
      let kind = try values.decodeIfPresent(Rotary.self, forKey: key)?.kind ?? "default"
      guard kind == "default" else {
        throw DecodingError.dataCorruptedError(
          forKey: key, in: values,
          debugDescription: "rope_type: expected default, found \(kind) (not supported)")
      }
    }
  }

  private struct Rotary: Decodable {
    let base: Double?
    let kind: String?

    enum CodingKeys: String, CodingKey {
      case base = "rope_theta"
      case kind = "rope_type"
      case olderKind = "type"
    }

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: CodingKeys.self)
      base = try values.decodeIfPresent(Double.self, forKey: .base)
      kind =
        try values.decodeIfPresent(String.self, forKey: .kind)
        ?? values.decodeIfPresent(String.self, forKey: .olderKind)
    }
  }

  /// What is wrong with the numbers, if anything is.
  var problem: String? {
    let sizes = [
      ("hidden_size", width, 65_536), ("intermediate_size", feedForwardWidth, 1 << 20),
      ("num_hidden_layers", layers, 512), ("num_attention_heads", heads, 1024),
      ("num_key_value_heads", keyHeads, 1024), ("head_dim", headWidth, 4096),
      ("vocab_size", vocabularySize, 1 << 22),
      ("max_position_embeddings", maximumPositions, 1 << 24),
    ]
    if let problem = LanguageModelSizes.problem(
      sizes, tokens: tokens, vocabularySize: vocabularySize)
    {
      return problem
    }
    if heads % keyHeads != 0 {
      return "num_key_value_heads: \(keyHeads) does not divide \(heads)"
    }
    if headWidth % 2 != 0 { return "head_dim: expected an even number, found \(headWidth)" }
    if !(epsilon > 0 && epsilon <= 1) {
      return "rms_norm_eps: expected a number above 0, at most 1, found \(epsilon)"
    }
    if !(rotaryBase >= 1 && rotaryBase <= 1e12) {
      return "rope_theta: expected 1 to 1e12, found \(rotaryBase)"
    }
    return nil
  }
}

extension KeyedDecodingContainer {
  /// A whole number that a file may leave out, or give as null.
  fileprivate func sizeIfPresent(_ key: Key) throws -> Int? {
    guard contains(key), try !decodeNil(forKey: key) else { return nil }
    return try size(key)
  }
}

extension LlamaConfiguration {
  /// SmolLM2-135M.
  public static var smolLM2: LlamaConfiguration {
    var sizes = LlamaConfiguration()
    sizes.width = 576
    sizes.feedForwardWidth = 1536
    sizes.layers = 30
    sizes.heads = 9
    sizes.keyHeads = 3
    sizes.headWidth = 64
    sizes.vocabularySize = 49_152
    sizes.isTied = true
    return sizes
  }
}
