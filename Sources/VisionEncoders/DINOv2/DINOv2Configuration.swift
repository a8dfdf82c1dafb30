import Layers
import PublicFormats

/// The sizes of a DINOv2 encoder (Oquab et al. 2023), as the public `config.json` gives them.
public struct DINOv2Configuration: ViTConfiguration {
  public var width = 384
  public var layers = 12
  public var heads = 6
  /// The inner width of the feed-forward blocks over the width.
  public var feedForwardRatio = 4
  public var patchSize = 14
  /// The image side that the position table is for.
  public var imageSize = 518
  public var layerNormEpsilon: Float = 1e-6
  /// LayerScale's starting value.
  public var initialLayerScale: Float = 1
  /// The standard deviation of new weights.
  public var initialDeviation: Float = 0.02
  /// What a new table of positions holds; public files have no word for it.
  public var initialPositions = PositionStart.normal

  public init() {}

  public static var fields: [PublicField<DINOv2Configuration>] {
    PublicField.ofViT(isRequired: true) + [
      .size("mlp_ratio", \.feedForwardRatio, upTo: 64),
      .number("layerscale_value", \.initialLayerScale),
      .number("initializer_range", \.initialDeviation),
      .fixed("hidden_act", "gelu"), .fixed("qkv_bias", true), .fixed("use_swiglu_ffn", false),
      .constant("architectures", ["Dinov2Model"]), .constant("model_type", "dinov2"),
    ]
  }

  var feedForwardWidth: Int { width * feedForwardRatio }
}

extension DINOv2Configuration {
  /// DINOv2's ViT-S/14 for images of 224 x 224.
  public static var small: DINOv2Configuration {
    var sizes = DINOv2Configuration()
    sizes.imageSize = 224
    return sizes
  }
}
