import Foundation
import Layers
import WeightFiles

/// The sizes of a DINOv2 encoder (Oquab et al. 2023), as the public `config.json` gives them.
public struct DINOv2Configuration: Codable, Equatable, Sendable, ViTConfiguration {
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

  enum CodingKeys: String, CodingKey {
    case width = "hidden_size"
    case layers = "num_hidden_layers"
    case heads = "num_attention_heads"
    case feedForwardRatio = "mlp_ratio"
    case patchSize = "patch_size"
    case imageSize = "image_size"
    case layerNormEpsilon = "layer_norm_eps"
    case initialLayerScale = "layerscale_value"
    case initialDeviation = "initializer_range"
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    width = try values.size(.width)
    layers = try values.size(.layers)
    heads = try values.size(.heads)
    feedForwardRatio = try values.size(.feedForwardRatio, usually: 4)
    patchSize = try values.size(.patchSize)
    imageSize = try values.size(.imageSize)
    layerNormEpsilon = try values.number(.layerNormEpsilon, usually: 1e-6)
    initialLayerScale = try values.number(.initialLayerScale, usually: 1)
    initialDeviation = try values.number(.initialDeviation, usually: 0.02)
  }

  var feedForwardWidth: Int { width * feedForwardRatio }

  /// What is wrong with the numbers, if anything is.
  public var problem: String? { problem(feedForward: ("mlp_ratio", feedForwardRatio, 64)) }
}

extension DINOv2Configuration {
  /// DINOv2's ViT-S/14 for pictures of 224 x 224.
  public static var small: DINOv2Configuration {
    var sizes = DINOv2Configuration()
    sizes.imageSize = 224
    return sizes
  }
}
