import Autograd
import Layers
import Tensors

/// A model that turns pictures into feature vectors, one for each patch and what else it has.
public protocol VisionEncoder: Module {
  /// The width of a feature vector.
  var width: Int { get }
  /// The side of a square patch, in pixels; image sides are multiples of it.
  var patchSize: Int { get }
  /// The number of blocks.
  var layerCount: Int { get }
  /// The image side that the position table was trained for, in pixels.
  var nativeImageSize: Int { get }

  /// The features of pictures.
  /// - Parameters:
  ///   - pixels: Normalised, `[images, 3, height, width]`; sides are multiples of the patch size.
  ///   - output: Which layer's output goes on.
  /// - Returns: `[images, tokens, width]`.
  func features(_ pixels: Tensor, output: VisionOutput) -> Variable

  /// The number of feature vectors of a picture.
  func tokenCount(height: Int, width: Int) -> Int

  /// The names of the public format for this module's parameters, for export.
  func publicName(of parameter: String) -> String

  /// The shape that the public format gives a parameter of ours.
  func publicShape(of parameter: String, _ shape: [Int]) -> [Int]

  /// The public format's `config.json`.
  var publicConfiguration: [String: Any] { get }
}

/// Which output of an image encoder goes on to the Q-Former.
public struct VisionOutput: Equatable, Sendable {
  /// The number of blocks that run; nil for all.
  public var layer: Int?
  /// Whether the encoder's final norm is applied.
  public var appliesFinalNorm: Bool

  public init(layer: Int? = nil, appliesFinalNorm: Bool = true) {
    self.layer = layer
    self.appliesFinalNorm = appliesFinalNorm
  }
}
