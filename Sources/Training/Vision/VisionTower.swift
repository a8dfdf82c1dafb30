import Autograd
import Datasets
import Foundation
import Layers
import Tensors
import VisionEncoders
import WeightFiles

/// The image encoder of a run, with the part of it that the configuration asks for.
public struct VisionTower {
  public let encoder: any VisionEncoder
  let output: VisionOutput
  /// The side of the pictures, in pixels.
  public let imageSize: Int
  public let normalization: ImageNormalization
  let isFrozen: Bool
  /// Whether batches hold features that were computed earlier in place of pixels.
  let readsFeatures: Bool
  /// The views of a training picture among such features.
  let cachedViews: Int
  /// A digest of the frozen weights and their configuration; nil for an encoder that is trained.
  public let fingerprint: String?

  /// - Throws: `VisionEncoderError`, `WeightFileError` or `ConfigurationError`.
  public init(_ configuration: VisionConfiguration, seed: UInt64) throws {
    let pixels: PixelNormalisation
    if let path = configuration.path {
      let folder = URL(fileURLWithPath: path, isDirectory: true)
      encoder = try VisionEncoderFamily.encoder(folder: folder)
      pixels = try PixelNormalisation.of(folder: folder)
      fingerprint = configuration.frozen ? try VisionTower.fingerprint(of: folder) : nil
    } else {
      encoder = DINOv2(configuration.new.sizes, ParameterInitialiser(seed: seed ^ 0x5EED_0001))
      pixels = .imageNet
      fingerprint = nil
    }
    normalization = ImageNormalization(
      mean: SIMD3(pixels.mean[0], pixels.mean[1], pixels.mean[2]),
      standardDeviation: SIMD3(pixels.deviation[0], pixels.deviation[1], pixels.deviation[2]))
    isFrozen = configuration.frozen
    readsFeatures = configuration.cache
    cachedViews = configuration.cachedViews
    if isFrozen { encoder.freeze() }
    output = VisionOutput(layer: configuration.layer, appliesFinalNorm: configuration.finalNorm)
    imageSize = configuration.imageSize ?? encoder.nativeImageSize
    try check(configuration)
  }

  private func check(_ configuration: VisionConfiguration) throws {
    if let layer = configuration.layer, !(1...encoder.layerCount).contains(layer) {
      throw ConfigurationError.invalidValue(
        field: "vision.layer", found: String(layer), expected: "1 to \(encoder.layerCount)",
        advice: "null takes the last")
    }
    if imageSize < encoder.patchSize || imageSize % encoder.patchSize != 0 || imageSize > 8192 {
      throw ConfigurationError.invalidValue(
        field: "vision.imageSize", found: String(imageSize),
        expected: "a multiple of the patch size \(encoder.patchSize), at most 8192",
        advice: "null takes the encoder's own \(encoder.nativeImageSize)")
    }
  }

  private static func fingerprint(of folder: URL) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
      $0.hasSuffix(".safetensors") || $0.hasSuffix(".json")
    }
    return try Fingerprint.ofFiles(named: names.sorted(), in: folder)
  }

  /// The number of feature vectors of a picture.
  var tokenCount: Int { encoder.tokenCount(height: imageSize, width: imageSize) }

  /// Features of a batch, `[batch, tokens, width]`.
  func features(_ batch: Batch) -> Variable {
    features(batch.values, count: batch.samples.count)
  }

  /// Features `[pictures, tokens, width]` of what a loader's content is: pixels or features.
  func features(_ values: [Float], count: Int) -> Variable {
    readsFeatures
      ? Variable(Tensor(values, shape: [count, tokenCount, encoder.width]))
      : features(Tensor(values, shape: [count, 3, imageSize, imageSize]))
  }

  /// Features `[pictures, tokens, width]` of normalised pixels `[pictures, 3, side, side]`; without
  /// history if the encoder is frozen.
  func features(_ pixels: Tensor) -> Variable {
    isFrozen
      ? Recording.disabled { encoder.features(pixels, output: output) }
      : encoder.features(pixels, output: output)
  }
}

extension VisionConfiguration.NewEncoder {
  var sizes: DINOv2Configuration {
    var sizes = DINOv2Configuration()
    sizes.width = width
    sizes.layers = layers
    sizes.heads = heads
    sizes.patchSize = patchSize
    sizes.imageSize = imageSize
    return sizes
  }
}
