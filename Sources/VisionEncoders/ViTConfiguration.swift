import Layers
import PublicFormats

/// The sizes that all vision transformers here have, whatever their files call them.
protocol ViTConfiguration: PublicConfiguration {
  var width: Int { get set }
  var layers: Int { get set }
  var heads: Int { get set }
  /// The inner width of the feed-forward blocks.
  var feedForwardWidth: Int { get }
  var patchSize: Int { get set }
  /// The image side that the position table is for.
  var imageSize: Int { get set }
  var layerNormEpsilon: Float { get set }
  /// The standard deviation of new weights.
  var initialDeviation: Float { get }
  /// What a new table of positions holds.
  var initialPositions: PositionStart { get }
}

extension ViTConfiguration {
  var initialPositions: PositionStart { .normal }

  /// The side of the position table's grid.
  var gridSide: Int { imageSize / patchSize }

  public var conflict: String? {
    if width % heads != 0 { return "num_attention_heads: \(heads) does not divide \(width)" }
    if gridSide < 1 { return "image_size: \(imageSize) is less than a patch of \(patchSize)" }
    return nil
  }
}

extension PublicField where Sizes: ViTConfiguration {
  /// The keys that the `config.json` of all vision transformers have.
  /// - Parameter isRequired: Whether a file has to have the sizes.
  static func ofViT(isRequired: Bool = false) -> [PublicField] {
    [
      .size("hidden_size", \.width, upTo: 16_384, isRequired: isRequired),
      .size("num_hidden_layers", \.layers, upTo: 512, isRequired: isRequired),
      .size("num_attention_heads", \.heads, upTo: 1024, isRequired: isRequired),
      .size("patch_size", \.patchSize, upTo: 1024, isRequired: isRequired),
      .size("image_size", \.imageSize, upTo: 65_536, isRequired: isRequired),
      .epsilon("layer_norm_eps", \.layerNormEpsilon),
      .fixed("num_channels", 3),
    ]
  }
}
