import Autograd
import Configuration
import Datasets
import Files
import Foundation
import Layers
import Tensors
import Training
import VisionEncoders
import WeightFiles

/// The image encoder of a run, with the part of it that the configuration asks for.
public struct VisionTower {
  public let encoder: any VisionEncoder
  let output: VisionOutput
  /// The side of the images, in pixels.
  public let imageSize: Int
  public let normalization: ImageNormalization
  let isFrozen: Bool
  /// The precision of the encoder's products.
  let precision: ProductPrecision
  /// The views of a training image among features that are kept.
  let views: Int
  /// A digest of the frozen weights and their configuration; nil for an encoder that is trained.
  public let fingerprint: String?

  /// - Parameter precision: The run's, where the encoder has none of its own.
  /// - Throws: `ModelConfigurationError`, `VisionEncoderError`, `WeightFileError` or
  ///   `ConfigurationError`.
  public init(
    _ configuration: VisionConfiguration, seed: UInt64, in precision: ProductPrecision = .float32
  ) throws {
    let source = configuration.path.map { URL(fileURLWithPath: $0) }
    try VisionTower.checkHeads(configuration, source: source)
    if let source {
      encoder = try VisionEncoderFamily.encoder(at: source, heads: configuration.heads)
    } else {
      encoder = configuration.new.encoder(ParameterInitialiser(seed: seed ^ 0x5EED_0001))
    }
    fingerprint =
      try configuration.frozen
      ? source.map { try VisionTower.fingerprint(of: $0, heads: configuration.heads) } : nil
    let family = encoder.familyNormalisation
    let pixels = try source.map { try PixelNormalisation.of($0, family: family) } ?? family
    normalization = ImageNormalization(
      mean: SIMD3(pixels.mean[0], pixels.mean[1], pixels.mean[2]),
      standardDeviation: SIMD3(pixels.deviation[0], pixels.deviation[1], pixels.deviation[2]))
    isFrozen = configuration.frozen
    views = configuration.views
    if isFrozen { encoder.freezeForInference() }
    self.precision = configuration.precision ?? precision
    encoder.multiply(in: self.precision)
    let usual = encoder.outputForBLIP2
    output = VisionOutput(
      layer: configuration.layer ?? usual.layer,
      appliesFinalNorm: configuration.finalNorm ?? usual.appliesFinalNorm)
    imageSize = configuration.imageSize ?? encoder.nativeImageSize
    try check(configuration)
  }

  private func check(_ configuration: VisionConfiguration) throws {
    if let layer = configuration.layer {
      try require(
        (1...encoder.layerCount).contains(layer), "vision.layer", found: layer,
        expected: "1 to \(encoder.layerCount)", advice: "null takes the one that BLIP-2 takes")
    }
    try require(
      configuration.finalNorm != true || encoder.hasFinalNorm, "vision.finalNorm", found: "true",
      expected: "false or null", advice: "this encoder has no norm after its last block")
    // Public models may have a native size of which the last rows and columns are never seen; a
    // chosen size should not have such.
    let isWhole = imageSize % encoder.patchSize == 0 || imageSize == encoder.nativeImageSize
    try require(
      isWhole && imageSize >= encoder.patchSize && imageSize <= 8192, "vision.imageSize",
      found: imageSize, expected: "a multiple of the patch size \(encoder.patchSize), at most 8192",
      advice: "null takes the encoder's own \(encoder.nativeImageSize)")
  }

  /// What the encoder makes of an image, in words.
  var summary: String {
    "\(precision.rawValue), \(tokenCount) × \(encoder.width) features at \(imageSize) px"
  }

  /// A folder's `config.json`, or the sizes of a new encoder, say the number of heads themselves.
  private static func checkHeads(_ configuration: VisionConfiguration, source: URL?) throws {
    let isFile = source.map { !FileSystem.isFolder($0.path) } ?? false
    guard let heads = configuration.heads, !isFile else { return }
    throw ConfigurationError.invalidValue(
      field: "vision.heads", found: String(heads), expected: "null",
      advice: "only a file of weights leaves the number of heads open; vision.path names "
        + (configuration.path.map { "the folder \($0)" } ?? "none"))
  }

  /// A digest of all that an encoder is read from: its folder's weights and settings, or its file
  /// and the number of heads that it is read with.
  static func fingerprint(of source: URL, heads: Int?) throws -> String {
    try Fingerprint.ofModel(at: source)
      + (FileSystem.isFolder(source.path) ? "" : heads.map { " with \($0) heads" } ?? "")
  }

  /// The number of feature vectors of an image.
  var tokenCount: Int { encoder.tokenCount(height: imageSize, width: imageSize) }

  /// Features of a batch, `[batch, tokens, width]`.
  func features(_ batch: Batch) -> Variable { features(content: batch.content) }

  /// Features `[images, tokens, width]` of what a loader's content is: pixels `[images, 3, side, side]`
  /// or such features.
  func features(content: Tensor) -> Variable {
    content.shape.count == 3 ? Variable(content) : features(content)
  }

  /// Features `[images, tokens, width]` of normalised pixels `[images, 3, side, side]`; without
  /// history if the encoder is frozen.
  func features(_ pixels: Tensor) -> Variable {
    isFrozen
      ? withoutGradients { encoder.features(pixels, output: output) }
      : encoder.features(pixels, output: output)
  }
}

extension VisionConfiguration.NewEncoder {
  func encoder(_ initialiser: ParameterInitialiser) -> any VisionEncoder {
    switch family {
    case .dinov2:
      var sizes = DINOv2Configuration()
      (sizes.width, sizes.layers, sizes.heads) = (width, layers, heads)
      (sizes.patchSize, sizes.imageSize) = (patchSize, imageSize)
      (sizes.initialDeviation, sizes.initialPositions) = (initialDeviation, positions)
      return DINOv2(sizes, initialiser)
    case .eva:
      var sizes = EVAViTConfiguration()
      (sizes.width, sizes.layers, sizes.heads) = (width, layers, heads)
      (sizes.patchSize, sizes.imageSize) = (patchSize, imageSize)
      sizes.feedForwardWidth = 4 * width
      (sizes.initialDeviation, sizes.initialPositions) = (initialDeviation, positions)
      return EVAViT(sizes, initialiser)
    }
  }
}

extension VisionEncoder {
  /// The output that BLIP-2 takes: of CLIP that of the last block but one, without the norm after the last
  /// (Li et al. 2023, §3.4), of others all there is.
  var outputForBLIP2: VisionOutput {
    self is CLIPViT
      ? VisionOutput(layer: layerCount - 1, appliesFinalNorm: false)
      : VisionOutput(appliesFinalNorm: hasFinalNorm)
  }
}
