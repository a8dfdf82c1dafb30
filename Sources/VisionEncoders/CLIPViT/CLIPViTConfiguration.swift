import Autograd
import PublicFormats

/// The sizes of CLIP's image encoder (Radford et al. 2021), as the public `config.json` gives them.
/// Keys that it leaves out have the values that the transformers library gives them.
public struct CLIPViTConfiguration: ViTConfiguration {
  public var width = 768
  public var layers = 12
  public var heads = 12
  public var feedForwardWidth = 3072
  public var patchSize = 32
  /// The image side that the position table is for.
  public var imageSize = 224
  public var layerNormEpsilon: Float = 1e-5
  /// OpenAI's models have the quick GELU, some later ones the exact one.
  var activation = Activation.quickGELU
  /// The standard deviation of new weights.
  public var initialDeviation: Float = 0.02

  public init() {}

  public static var fields: [PublicField<CLIPViTConfiguration>] {
    PublicField.ofViT() + [
      .size("intermediate_size", \.feedForwardWidth, upTo: 131_072),
      .choice(
        "hidden_act", \.activation, among: [("gelu", .gelu), ("quick_gelu", .quickGELU)],
        written: \.rawValue),
      .number("initializer_range", \.initialDeviation),
      .constant("architectures", ["CLIPVisionModel"]),
      .constant("model_type", "clip_vision_model"),
    ]
  }
}

extension CLIPViTConfiguration {
  /// CLIP's ViT-L/14 up to its last block but one, as BLIP-2 takes it.
  public static var large: CLIPViTConfiguration {
    var sizes = CLIPViTConfiguration()
    sizes.width = 1024
    sizes.layers = 23
    sizes.heads = 16
    sizes.feedForwardWidth = 4096
    sizes.patchSize = 14
    return sizes
  }
}
