import Autograd
import Foundation
import Layers
import PublicFormats
import Tensors

/// A model that turns images into feature vectors, one for each patch and what else it has.
public protocol VisionEncoder: PublicModel {
  /// What `config.json` calls the family in `model_type`.
  static var modelTypes: [String] { get }

  /// Reads `config.json` and the weights of a folder; the weights stay where they are mapped.
  /// - Throws: `WeightFileError` for weights, `ModelConfigurationError` for the configuration.
  init(folder: URL) throws

  /// The width of a feature vector.
  var width: Int { get }
  /// The side of a square patch, in pixels; what an image has beyond whole patches is not seen.
  var patchSize: Int { get }
  /// The number of blocks.
  var layerCount: Int { get }
  /// The image side that the position table was trained for, in pixels.
  var nativeImageSize: Int { get }
  /// Whether there is a norm after the last block.
  var hasFinalNorm: Bool { get }
  /// What the family was trained with, for folders that do not say.
  var familyNormalisation: PixelNormalisation { get }

  /// The features of images.
  /// - Parameters:
  ///   - pixels: Normalised, `[images, 3, height, width]`, at least one patch each way.
  ///   - output: Which layer's output goes on; no final norm where there is none.
  /// - Returns: `[images, tokens, width]`.
  func features(_ pixels: Tensor, output: VisionOutput) -> Variable

  /// The number of feature vectors of an image.
  func tokenCount(height: Int, width: Int) -> Int
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
