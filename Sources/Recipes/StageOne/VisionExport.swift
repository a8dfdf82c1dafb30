import Checkpointing
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
    checkpoint: String, folder: URL, precision: WrittenTensor.Precision,
    report: (String) -> Void
  ) throws {
    let file = try CheckpointFile.open(fileOrFolder: checkpoint, report: report)
    let configuration = try file.usableConfiguration(of: StageOneRecipe.self, report: report)
    guard !configuration.vision.frozen else {
      throw RunError.frozenVision(
        file: file.url.path, encoder: configuration.vision.path ?? "none")
    }
    let tower = try VisionTower(configuration.vision, seed: configuration.seed)
    try file.load(into: RecipeModel(vision: tower.encoder).namedParameters)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try tower.encoder.write(to: folder, precision: precision)
    let (mean, deviation) = (tower.normalization.mean, tower.normalization.standardDeviation)
    try PublicFolder.write(
      [
        "image_mean": [mean.x, mean.y, mean.z].map(shortest),
        "image_std": [deviation.x, deviation.y, deviation.z].map(shortest),
        "size": ["height": tower.imageSize, "width": tower.imageSize],
      ], to: folder.appendingPathComponent("preprocessor_config.json"))
  }

  /// The float32 as the shortest decimal that reads back the same.
  private static func shortest(_ value: Float) -> Double { Double(value.description) ?? 0 }
}
