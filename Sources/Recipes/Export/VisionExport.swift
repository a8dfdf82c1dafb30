import Checkpointing
import Files
import Foundation
import Layers
import PublicFormats
import Training
import VisionEncoders
import WeightFiles

/// An image encoder that a run trained, as a folder that other programs read.
public enum VisionExport {
  /// Writes `config.json`, `model.safetensors` and `preprocessor_config.json` in the public format.
  /// - Parameters:
  ///   - checkpoint: A file, or a folder whose newest sound one is taken.
  ///   - precision: How the weights are stored.
  /// - Throws: `RunError` where the run's encoder was frozen: it is where it came from.
  public static func write(
    checkpoint: String, overrides: [String] = [], folder: URL, precision: WrittenTensor.Precision,
    report: (String) -> Void
  ) throws {
    let file = try CheckpointFile.open(fileOrFolder: checkpoint, report: report)
    let configuration = try file.usableConfiguration(
      of: StageOneRecipe.self, overrides: overrides, report: report)
    guard !configuration.vision.frozen else {
      throw RunError.frozenVision(
        file: file.url.path, encoder: configuration.vision.path ?? "none")
    }
    let tower = try VisionTower(configuration.vision, seed: configuration.seed)
    try file.load(into: RecipeModel(vision: tower.encoder).namedParameters)
    try FileSystem.createFolder(folder.path)
    try tower.encoder.write(to: folder, precision: precision)
    try PublicFolder.write(
      tower.preprocessor, to: folder.appendingPathComponent("preprocessor_config.json"))
  }
}

extension VisionTower {
  /// What `preprocessor_config.json` says of images: the whole image, resized and normalised.
  var preprocessor: [String: Any] {
    let (mean, deviation) = (normalization.mean, normalization.standardDeviation)
    return [
      "image_processor_type": "BlipImageProcessor",
      "do_convert_rgb": true, "do_normalize": true, "do_rescale": true, "do_resize": true,
      "image_mean": [mean.x, mean.y, mean.z].map(VisionTower.shortest),
      "image_std": [deviation.x, deviation.y, deviation.z].map(VisionTower.shortest),
      // Bicubic.
      "resample": 3, "rescale_factor": 1.0 / 255,
      "size": ["height": imageSize, "width": imageSize],
    ]
  }

  /// The float32 as the shortest decimal that reads back the same.
  private static func shortest(_ value: Float) -> Double { Double(value.description) ?? 0 }
}
