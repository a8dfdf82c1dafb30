import Autograd
import WeightFiles

/// The sizes of a T5 (Raffel et al. 2020; v1.1 and Flan: Chung et al. 2022), as the public
/// `config.json` gives them. Keys that it leaves out have the values that the transformers library
/// gives them.
public struct T5Configuration: Decodable, Equatable, Sendable {
  public var width = 512
  /// The width of one attention head; heads times it need not be `width`.
  public var headWidth = 64
  public var feedForwardWidth = 2048
  public var encoderLayers = 6
  public var decoderLayers = 6
  public var heads = 8
  public var vocabularySize = 32_128
  /// How many biases a head has for distances.
  public var distanceBuckets = 32
  /// From here on all distances share a bucket.
  public var maximumDistance = 128
  public var epsilon: Float = 1e-6
  /// The decoder's first token.
  public var decoderStart: Int32 = 0
  public var tokens = LanguageModelTokens(start: nil, end: 1, padding: 0)
  /// The activation within the feed-forwards.
  var activation = Activation.relu
  /// Whether a second map weighs the activated one (v1.1).
  var isGated = false
  /// Whether the output table is that of the word embeddings, by what the file says.
  var isTied = true
  /// Whether states are scaled by `1/√width` before the output table; nil where that follows from
  /// the tying (v1.0).
  var scalesOutput: Bool?
  /// The standard deviation of new weights.
  public var initialDeviation: Float = 0.02

  public init() {}

  enum CodingKeys: String, CodingKey {
    case width = "d_model"
    case headWidth = "d_kv"
    case feedForwardWidth = "d_ff"
    case encoderLayers = "num_layers"
    case decoderLayers = "num_decoder_layers"
    case heads = "num_heads"
    case vocabularySize = "vocab_size"
    case distanceBuckets = "relative_attention_num_buckets"
    case maximumDistance = "relative_attention_max_distance"
    case epsilon = "layer_norm_epsilon"
    case decoderStart = "decoder_start_token_id"
    case end = "eos_token_id"
    case padding = "pad_token_id"
    case feedForward = "feed_forward_proj"
    case activation = "dense_act_fn"
    case isTied = "tie_word_embeddings"
    case scalesOutput = "scale_decoder_outputs"
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    width = try values.size(.width, usually: width)
    headWidth = try values.size(.headWidth, usually: headWidth)
    feedForwardWidth = try values.size(.feedForwardWidth, usually: feedForwardWidth)
    encoderLayers = try values.size(.encoderLayers, usually: encoderLayers)
    decoderLayers =
      try values.decodeIfPresent(Double.self, forKey: .decoderLayers) == nil
      ? encoderLayers : values.size(.decoderLayers)
    heads = try values.size(.heads, usually: heads)
    vocabularySize = try values.size(.vocabularySize, usually: vocabularySize)
    distanceBuckets = try values.size(.distanceBuckets, usually: distanceBuckets)
    maximumDistance = try values.size(.maximumDistance, usually: maximumDistance)
    epsilon = try values.number(.epsilon, usually: epsilon)
    tokens = LanguageModelTokens(
      start: nil, end: try values.token(.end, usually: 1),
      padding: try values.token(.padding, usually: 0))
    decoderStart = try values.token(.decoderStart, usually: tokens.padding)
    try readFeedForward(values)
    isTied = try values.decodeIfPresent(Bool.self, forKey: .isTied) ?? true
    scalesOutput = try values.decodeIfPresent(Bool.self, forKey: .scalesOutput)
  }

  /// `relu`, `gated-gelu` and so on. A model's own `dense_act_fn` has the last word: BLIP-2's T5 is
  /// gated with the exact GELU, others with its tanh approximation.
  private mutating func readFeedForward(
    _ values: KeyedDecodingContainer<CodingKeys>
  ) throws {
    let form = try values.decodeIfPresent(String.self, forKey: .feedForward) ?? "relu"
    isGated = form.hasPrefix("gated-")
    let name = isGated ? String(form.dropFirst("gated-".count)) : form
    let named = isGated && name == "gelu" ? Activation.tanhGELU : Activation(publicName: name)
    guard let named else {
      throw DecodingError.dataCorruptedError(
        forKey: .feedForward, in: values,
        debugDescription: "expected relu, gated-gelu or gated-silu, found \(form)")
    }
    activation = try values.languageActivation(.activation, usually: named)
  }

  /// What is wrong with the numbers, if anything is.
  var problem: String? {
    let sizes = [
      ("d_model", width, 65_536), ("d_kv", headWidth, 4096), ("d_ff", feedForwardWidth, 1 << 20),
      ("num_layers", encoderLayers, 512), ("num_decoder_layers", decoderLayers, 512),
      ("num_heads", heads, 1024), ("vocab_size", vocabularySize, 1 << 22),
      ("relative_attention_num_buckets", distanceBuckets, 65_536),
      ("relative_attention_max_distance", maximumDistance, 1 << 20),
    ]
    if let problem = LanguageModelSizes.problem(
      sizes, tokens: tokens, vocabularySize: vocabularySize)
    {
      return problem
    }
    if distanceBuckets < 4 || distanceBuckets % 2 != 0 || maximumDistance <= distanceBuckets / 2 {
      return "relative_attention_num_buckets: expected an even number from 4 on, less than twice "
        + "relative_attention_max_distance, found \(distanceBuckets) and \(maximumDistance)"
    }
    if !(epsilon > 0 && epsilon <= 1) {
      return "layer_norm_epsilon: expected a number above 0, at most 1, found \(epsilon)"
    }
    if decoderStart < 0 || Int(decoderStart) >= vocabularySize {
      return "decoder_start_token_id: expected 0 to \(vocabularySize - 1), found \(decoderStart)"
    }
    return nil
  }
}

extension T5Configuration {
  /// Sizes of a v1.1: gated by GELU's tanh approximation, an output table of its own.
  public static var gated: T5Configuration {
    var sizes = T5Configuration()
    sizes.activation = .tanhGELU
    sizes.isGated = true
    sizes.isTied = false
    sizes.scalesOutput = false
    return sizes
  }
}

extension T5Configuration {
  /// Flan-T5-base.
  public static var flanBase: T5Configuration {
    var sizes = T5Configuration.gated
    sizes.width = 768
    sizes.encoderLayers = 12
    sizes.decoderLayers = 12
    sizes.heads = 12
    return sizes
  }
}
