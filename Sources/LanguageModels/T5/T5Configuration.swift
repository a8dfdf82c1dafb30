import Autograd
import PublicFormats

/// The sizes of a T5 (Raffel et al. 2020; v1.1 and Flan: Chung et al. 2022), as the public
/// `config.json` gives them. Keys that it leaves out have the values that the transformers library
/// gives them.
public struct T5Configuration: LanguageModelConfiguration {
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

  public static var fields: [PublicField<T5Configuration>] {
    [
      .size("d_model", \.width, upTo: 65_536), .size("d_kv", \.headWidth, upTo: 4096),
      .size("d_ff", \.feedForwardWidth, upTo: 1 << 20),
      .size("num_layers", \.encoderLayers, upTo: 512),
      .size("num_decoder_layers", \.decoderLayers, upTo: 512, usually: \.encoderLayers),
      .size("num_heads", \.heads, upTo: 1024),
      .size("vocab_size", \.vocabularySize, upTo: 1 << 22),
      .size("relative_attention_num_buckets", \.distanceBuckets, upTo: 65_536),
      .size("relative_attention_max_distance", \.maximumDistance, upTo: 1 << 20),
      .epsilon("layer_norm_epsilon", \.epsilon),
      .token("eos_token_id", \.tokens.end), .token("pad_token_id", \.tokens.padding),
      .token("decoder_start_token_id", \.decoderStart, usually: \.tokens.padding),
      feedForward, .activation("dense_act_fn", \.activation),
      .constant("is_encoder_decoder", true), .constant("dropout_rate", 0.0),
      .flag("tie_word_embeddings", \.isTied),
      PublicField(
        "scale_decoder_outputs",
        read: { $2.scalesOutput = try $0.decodeIfPresent(Bool.self, forKey: $1) },
        write: \.scalesOutput),
      .constant("architectures", ["T5ForConditionalGeneration"]), .constant("model_type", "t5"),
    ]
  }

  /// `relu`, `gated-gelu` and so on. A model's own `dense_act_fn` has the last word: BLIP-2's T5 is
  /// gated with the exact GELU, others with its tanh approximation.
  private static let feedForward = PublicField<T5Configuration>(
    "feed_forward_proj",
    read: { values, key, sizes in
      guard let form = try values.decodeIfPresent(String.self, forKey: key) else { return }
      sizes.isGated = form.hasPrefix("gated-")
      let name = sizes.isGated ? String(form.dropFirst("gated-".count)) : form
      guard
        let named = sizes.isGated && name == "gelu" ? .tanhGELU : Activation(publicName: name)
      else {
        throw values.refusal(key, "expected relu, gated-gelu or gated-silu, found \(form)")
      }
      sizes.activation = named
    },
    write: { sizes in
      let name = sizes.activation == .tanhGELU ? "gelu" : sizes.activation.rawValue
      return (sizes.isGated ? "gated-" : "") + name
    })

  public var conflict: String? {
    if distanceBuckets < 4 || distanceBuckets % 2 != 0 || maximumDistance <= distanceBuckets / 2 {
      return "relative_attention_num_buckets: expected an even number from 4 on, less than twice "
        + "relative_attention_max_distance, found \(distanceBuckets) and \(maximumDistance)"
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
