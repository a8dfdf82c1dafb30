import Foundation

/// The sizes of a DINOv2 encoder (Oquab et al. 2023), as the public `config.json` gives them.
public struct DINOv2Configuration: Codable, Equatable, Sendable {
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
    feedForwardRatio = values.contains(.feedForwardRatio) ? try values.size(.feedForwardRatio) : 4
    patchSize = try values.size(.patchSize)
    imageSize = try values.size(.imageSize)
    layerNormEpsilon = Float(
      try values.decodeIfPresent(Double.self, forKey: .layerNormEpsilon) ?? 1e-6)
    initialLayerScale = Float(
      try values.decodeIfPresent(Double.self, forKey: .initialLayerScale) ?? 1)
    initialDeviation = Float(
      try values.decodeIfPresent(Double.self, forKey: .initialDeviation) ?? 0.02)
  }

  /// The side of the position table's grid.
  var gridSide: Int { imageSize / patchSize }

  /// What is wrong with the numbers, if anything is.
  public var problem: String? {
    let sizes = [
      ("hidden_size", width, 16_384), ("num_hidden_layers", layers, 512),
      ("num_attention_heads", heads, 1024), ("mlp_ratio", feedForwardRatio, 64),
      ("patch_size", patchSize, 1024), ("image_size", imageSize, 65_536),
    ]
    for (name, size, most) in sizes where size < 1 || size > most {
      return "\(name): expected 1 to \(most), found \(size)"
    }
    if !(layerNormEpsilon > 0 && layerNormEpsilon <= 1) {
      return "layer_norm_eps: expected a number above 0, at most 1, found \(layerNormEpsilon)"
    }
    if width % heads != 0 { return "num_attention_heads: \(heads) does not divide \(width)" }
    if gridSide < 1 { return "image_size: \(imageSize) is less than a patch of \(patchSize)" }
    return nil
  }
}

extension KeyedDecodingContainer<DINOv2Configuration.CodingKeys> {
  /// A whole number. Read as one of double precision, because the decoder has no words for numbers
  /// that do not fit an integer; what is out of range stays so.
  fileprivate func size(_ key: Key) throws -> Int {
    let number = try decode(Double.self, forKey: key)
    guard number.rounded(.towardZero) == number else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self, debugDescription: "expected a whole number, found \(number)")
    }
    return Int(exactly: number) ?? (number < 0 ? .min : .max)
  }
}
