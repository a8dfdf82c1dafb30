import Layers
import PublicFormats

/// The sizes of an EVA-CLIP encoder (Fang et al. 2023; Sun et al. 2023), as the `vision_config` of a
/// public BLIP-2 gives them. Keys that it leaves out have the values that the transformers library
/// gives them, which are those of ViT-g.
public struct EVAViTConfiguration: ViTConfiguration {
  public var width = 1408
  public var layers = 39
  public var heads = 16
  public var feedForwardWidth = 6144
  public var patchSize = 14
  /// The image side that the position table is for.
  public var imageSize = 224
  public var layerNormEpsilon: Float = 1e-6
  /// The standard deviation of new weights.
  public var initialDeviation: Float = 0.02
  /// What a new table of positions holds; public files have no word for it.
  public var initialPositions = PositionStart.normal

  public init() {}

  public static var fields: [PublicField<EVAViTConfiguration>] {
    PublicField.ofViT() + [
      .size("intermediate_size", \.feedForwardWidth, upTo: 131_072),
      .fixed("hidden_act", "gelu"), .fixed("qkv_bias", true),
      .constant("architectures", ["Blip2VisionModel"]),
      .constant("model_type", "blip_2_vision_model"),
    ]
  }
}
