import Autograd
import WeightFiles

/// The sizes of CLIP's image encoder (Radford et al. 2021), as the public `config.json` gives them.
/// Keys that it leaves out have the values that the transformers library gives them.
public struct CLIPViTConfiguration: Decodable, Equatable, Sendable, ViTConfiguration {
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
    case initialDeviation = "initializer_range"
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
    initialDeviation = try values.number(.initialDeviation, usually: initialDeviation)
    activation = try values.activation(.activation, usually: activation)
    try values.requireThreeChannels(.channels)
  }

  /// What is wrong with the numbers, if anything is.
  var problem: String? { problem(feedForward: ("intermediate_size", feedForwardWidth, 131_072)) }
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
