import Configuration
import Datasets
import Foundation
import Training

/// Computes and keeps the features that the runs of a recipe read, without training.
public struct FeaturePreparation {
  private let vision: VisionConfiguration
  private let tower: VisionTower
  private let data: RunData
  private let report: (String) -> Void

  /// Reads the image encoder and the lists of images, and nothing else of the recipe; nothing is computed
  /// yet.
  /// - Parameter report: Is told how things get on.
  /// - Throws: `ConfigurationError` and the errors of the files that it reads.
  public init(
    _ configuration: some ImageTextConfiguration, report: @escaping (String) -> Void
  ) throws {
    try require(
      configuration.vision.frozen, "vision.frozen", found: "false", expected: "true",
      advice: "the features of an encoder that is trained change at every step, and cannot be kept")
    try configuration.check()
    try configuration.data.requireTraining()
    var vision = configuration.vision
    vision.cache = true
    self.vision = vision
    self.report = report
    tower = try VisionTower(vision, seed: configuration.seed, in: configuration.precision)
    let features = FeatureCache(vision, tower: tower)
    features.report = report
    features.readsWholeFiles = true
    data = try RunData(configuration.data, seed: configuration.seed, features: features)
  }

  /// Makes what is missing or damaged of the training images' features and the held-out ones'.
  /// - Throws: ``Interrupted`` where a signal asked for an end; the same call later goes on there. Else
  ///   `DatasetError`, `WeightFileError`, `RunError`.
  public func make() throws {
    report("image encoder: \(vision.path ?? ""), \(tower.summary)")
    if let dataset = data.train {
      let views = "\(tower.views) view" + (tower.views == 1 ? "" : "s")
      report("training: \(dataset.imageCount) images, \(views) of each")
      _ = try data.trainingContent(dataset, tower: tower)
    }
    if let dataset = data.validation {
      report("validation: \(dataset.imageCount) images")
      _ = try data.evaluationContent(dataset, tower: tower)
    }
  }
}
