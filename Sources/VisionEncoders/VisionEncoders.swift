import Foundation
import Layers
import Tensors

/// The families of image encoders that folders are read as.
public enum VisionEncoderFamily {
  /// By the `model_type` of their `config.json`. A new family adds a folder and a line here.
  private static let families: [String: (URL) throws -> any VisionEncoder] = [
    "dinov2": { try DINOv2(folder: $0) }
  ]

  /// Reads the encoder of a folder, whichever family it is of.
  /// - Throws: `VisionEncoderError` or `WeightFileError`.
  public static func encoder(folder: URL) throws -> any VisionEncoder {
    let file = folder.appendingPathComponent("config.json")
    let name = try VisionConfigurationFile(file).decoded(ModelType.self).modelType
    guard let read = families[name] else {
      throw VisionEncoderError.unknownFamily(
        file: file.path, found: name, known: families.keys.sorted())
    }
    return try read(folder)
  }

  private struct ModelType: Decodable {
    let modelType: String

    enum CodingKeys: String, CodingKey { case modelType = "model_type" }
  }
}

/// Means and deviations of the colour channels that an encoder was trained with.
public struct PixelNormalisation: Equatable, Sendable {
  public var mean: [Float]
  public var deviation: [Float]

  /// ImageNet's, as DINOv2 has them.
  public static let imageNet = PixelNormalisation(
    mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])

  /// Those of the folder's `preprocessor_config.json`; ImageNet's where there is none.
  public static func of(folder: URL) throws -> PixelNormalisation {
    let file = folder.appendingPathComponent("preprocessor_config.json")
    guard FileManager.default.fileExists(atPath: file.path) else { return .imageNet }
    let stored = try VisionConfigurationFile(file).decoded(Preprocessor.self)
    let result = PixelNormalisation(mean: stored.mean, deviation: stored.deviation)
    guard result.mean.count == 3, result.deviation.count == 3,
      result.deviation.allSatisfy({ $0 > 0 })
    else {
      throw VisionEncoderError.badConfiguration(
        file: file.path, reason: "image_mean and image_std: expected 3 numbers each, image_std > 0")
    }
    return result
  }

  private struct Preprocessor: Decodable {
    let mean: [Float]
    let deviation: [Float]

    enum CodingKeys: String, CodingKey {
      case mean = "image_mean"
      case deviation = "image_std"
    }
  }
}
