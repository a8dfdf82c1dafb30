import Autograd
import Layers
import WeightFiles

/// The sizes that all vision transformers here have, whatever their files call them.
protocol ViTConfiguration: Equatable, Sendable {
  var width: Int { get }
  var layers: Int { get }
  var heads: Int { get }
  /// The inner width of the feed-forward blocks.
  var feedForwardWidth: Int { get }
  var patchSize: Int { get }
  /// The image side that the position table is for.
  var imageSize: Int { get }
  var layerNormEpsilon: Float { get }
  /// The standard deviation of new weights.
  var initialDeviation: Float { get }
  /// What a new table of positions holds.
  var initialPositions: PositionStart { get }
}

extension ViTConfiguration {
  var initialPositions: PositionStart { .normal }

  /// The side of the position table's grid.
  var gridSide: Int { imageSize / patchSize }

  /// What is wrong with the numbers, if anything is, in the words of a public `config.json`.
  /// - Parameter feedForward: The key that sets the feed-forward width, its value and its bound.
  func problem(feedForward: (String, Int, Int)) -> String? {
    let sizes = [
      ("hidden_size", width, 16_384), ("num_hidden_layers", layers, 512),
      ("num_attention_heads", heads, 1024), feedForward, ("patch_size", patchSize, 1024),
      ("image_size", imageSize, 65_536),
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

extension KeyedDecodingContainer {
  /// The activation of feed-forward blocks.
  func activation(
    _ key: Key, usually usual: Activation
  ) throws -> Activation {
    guard let name = try decodeIfPresent(String.self, forKey: key) else { return usual }
    guard let activation = Activation(rawValue: name),
      activation == .gelu || activation == .quickGELU
    else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self, debugDescription: "expected gelu or quick_gelu, found \(name)")
    }
    return activation
  }

  /// Pictures here have three channels; a file may leave their number out.
  func requireThreeChannels(_ key: Key) throws {
    let channels = try size(key, usually: 3)
    guard channels == 3 else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self, debugDescription: "expected 3, found \(channels)")
    }
  }
}
