import Foundation
import WeightFiles

/// Means and deviations of the colour channels that an encoder was trained with.
public struct PixelNormalisation: Equatable, Sendable {
  public var mean: [Float]
  public var deviation: [Float]

  /// ImageNet's, as DINOv2 has them.
  public static let imageNet = PixelNormalisation(
    mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])

  /// CLIP's (Radford et al. 2021), as EVA-CLIP has them too.
  public static let clip = PixelNormalisation(
    mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
    deviation: [0.268_629_54, 0.261_302_58, 0.275_777_11])

  /// Those of a folder's `preprocessor_config.json`, or of the `image_processor` in its
  /// `processor_config.json`, where one gives any.
  /// - Parameters:
  ///   - url: An encoder's folder, or its file, which says nothing of pixels.
  ///   - family: What the encoder's family was trained with.
  /// - Throws: `ModelConfigurationError`.
  public static func of(
    _ url: URL, family: PixelNormalisation
  ) throws -> PixelNormalisation {
    let own = url.appendingPathComponent("preprocessor_config.json")
    let whole = url.appendingPathComponent("processor_config.json")
    let isOwn = FileManager.default.fileExists(atPath: own.path)
    guard isOwn || FileManager.default.fileExists(atPath: whole.path) else { return family }
    let file = isOwn ? own : whole
    let settings = try ModelConfigurationFile(file)
    let stored =
      try isOwn
      ? settings.decoded(Preprocessor.self) : settings.decoded(WholeProcessor.self).image
    guard let stored, stored.mean != nil || stored.deviation != nil else { return family }
    let result = PixelNormalisation(mean: stored.mean ?? [], deviation: stored.deviation ?? [])
    guard result.mean.count == 3, result.deviation.count == 3,
      result.deviation.allSatisfy({ $0 > 0 })
    else {
      throw ModelConfigurationError.bad(
        file: file.path,
        reason: "image_mean and image_std: expected 3 numbers each, image_std > 0, or neither")
    }
    return result
  }

  private struct WholeProcessor: Decodable {
    let image: Preprocessor?

    enum CodingKeys: String, CodingKey { case image = "image_processor" }
  }

  private struct Preprocessor: Decodable {
    let mean: [Float]?
    let deviation: [Float]?

    enum CodingKeys: String, CodingKey {
      case mean = "image_mean"
      case deviation = "image_std"
    }
  }
}
