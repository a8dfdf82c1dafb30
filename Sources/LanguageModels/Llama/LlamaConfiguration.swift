import Autograd
import PublicFormats

/// The sizes of a Llama (Touvron et al. 2023), as the public `config.json` gives them. Keys that it
/// leaves out have the values that the transformers library gives them.
public struct LlamaConfiguration: LanguageModelConfiguration {
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

  public static var fields: [PublicField<LlamaConfiguration>] {
    [
      .size("hidden_size", \.width, upTo: 65_536),
      .size("intermediate_size", \.feedForwardWidth, upTo: 1 << 20),
      .size("num_hidden_layers", \.layers, upTo: 512),
      .size("num_attention_heads", \.heads, upTo: 1024),
      .size("num_key_value_heads", \.keyHeads, upTo: 1024, usually: \.heads),
      .size("head_dim", \.headWidth, upTo: 4096) { $0.width / max(1, $0.heads) },
      .size("vocab_size", \.vocabularySize, upTo: 1 << 22),
      .size("max_position_embeddings", \.maximumPositions, upTo: 1 << 24),
      .epsilon("rms_norm_eps", \.epsilon), .flag("tie_word_embeddings", \.isTied),
      .activation("hidden_act", \.activation), .ends("eos_token_id"),
      .token("bos_token_id", optional: \.tokens.start, usually: nil),
      .token("pad_token_id", \.tokens.padding, usually: \.tokens.end),
      .fixed("attention_bias", false), .fixed("mlp_bias", false),
      rotaryBase, rotary("rope_parameters"), rotary("rope_scaling"),
      .constant("architectures", ["LlamaForCausalLM"]), .constant("model_type", "llama"),
    ]
  }

  private static let rotaryBase = PublicField<LlamaConfiguration>(
    "rope_theta",
    read: { values, key, sizes in
      sizes.rotaryBase = try values.decodeIfPresent(Double.self, forKey: key) ?? sizes.rotaryBase
    },
    problem: { sizes in
      sizes.rotaryBase >= 1 && sizes.rotaryBase <= 1e12
        ? nil : "expected 1 to 1e12, found \(sizes.rotaryBase)"
    }, write: \.rotaryBase)

  /// The base stands by itself in older files, among the rotary parameters in newer ones.
  private static func rotary(_ key: String) -> PublicField<LlamaConfiguration> {
    PublicField(
      key,
      read: { values, key, sizes in
        guard let rotary = try values.decodeIfPresent(Rotary.self, forKey: key) else { return }
        if key.stringValue == "rope_parameters" {
          sizes.rotaryBase = rotary.base ?? sizes.rotaryBase
        }
        let kind = rotary.kind ?? rotary.olderKind ?? "default"
        if kind != "default" {
          throw values.refusal(key, "rope_type: expected default, found \(kind) (not supported)")
        }
      })
  }

  private struct Rotary: Decodable {
    let base: Double?
    let kind: String?
    let olderKind: String?

    enum CodingKeys: String, CodingKey {
      case base = "rope_theta"
      case kind = "rope_type"
      case olderKind = "type"
    }
  }

  public var conflict: String? {
    if heads % keyHeads != 0 {
      return "num_key_value_heads: \(keyHeads) does not divide \(heads)"
    }
    return headWidth % 2 == 0 ? nil : "head_dim: expected an even number, found \(headWidth)"
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
