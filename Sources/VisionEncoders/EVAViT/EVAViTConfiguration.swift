import Layers
import WeightFiles

/// The sizes of an EVA-CLIP encoder (Fang et al. 2023; Sun et al. 2023), as the `vision_config` of a
/// public BLIP-2 gives them. Keys that it leaves out have the values that the transformers library
/// gives them, which are those of ViT-g.
public struct EVAViTConfiguration: Decodable, Equatable, Sendable, ViTConfiguration {
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

  enum CodingKeys: String, CodingKey {
    case width = "hidden_size"
    case layers = "num_hidden_layers"
    case heads = "num_attention_heads"
    case feedForwardWidth = "intermediate_size"
    case patchSize = "patch_size"
    case imageSize = "image_size"
    case channels = "num_channels"
    case layerNormEpsilon = "layer_norm_eps"
    case activation = "hidden_act"
    case hasBias = "qkv_bias"
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    width = try values.size(.width, usually: width)
    layers = try values.size(.layers, usually: layers)
    heads = try values.size(.heads, usually: heads)
    feedForwardWidth = try values.size(.feedForwardWidth, usually: feedForwardWidth)
    patchSize = try values.size(.patchSize, usually: patchSize)
    imageSize = try values.size(.imageSize, usually: imageSize)
    layerNormEpsilon = try values.number(.layerNormEpsilon, usually: layerNormEpsilon)
    guard try values.activation(.activation, usually: .gelu) == .gelu else {
      throw DecodingError.dataCorruptedError(
        forKey: .activation, in: values,
        debugDescription: "expected gelu, found quick_gelu (not supported)")
    }
    guard try values.decodeIfPresent(Bool.self, forKey: .hasBias) ?? true else {
      throw DecodingError.dataCorruptedError(
        forKey: .hasBias, in: values, debugDescription: "expected true, found false (not supported)"
      )
    }
    try values.requireThreeChannels(.channels)
  }

  /// What is wrong with the numbers, if anything is.
  var problem: String? { problem(feedForward: ("intermediate_size", feedForwardWidth, 131_072)) }
}
