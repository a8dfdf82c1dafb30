import Configuration
import Datasets
import Foundation
import Reporting
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

  /// A file of features; sizes in bytes.
  public struct File: Encodable {
    /// `train` or `validation`.
    public let part: String
    public let path: String
    public let images, views, unreadableImages, size: Int
  }

  /// Makes what is missing or damaged of the training images' features and the held-out ones'.
  /// - Returns: The files that have them.
  /// - Throws: ``Interrupted`` where a signal asked for an end; the same call later goes on there. Else
  ///   `DatasetError`, `WeightFileError`, `RunError`.
  public func make() throws -> [File] {
    var files: [File] = []
    report("image encoder: \(vision.path ?? ""), \(tower.summary)")
    if let dataset = data.train {
      report(
        "training: \(Quantity.of(dataset.imageCount, "image")), "
          + "\(Quantity.of(tower.views, "view")) of each")
      files += file("train", try data.trainingContent(dataset, tower: tower))
    }
    if let dataset = data.validation {
      report("validation: \(Quantity.of(dataset.imageCount, "image"))")
      files += file("validation", try data.evaluationContent(dataset, tower: tower))
    }
    return files
  }

  private func file(_ part: String, _ content: any SampleContent) -> [File] {
    guard let store = content as? FeatureStore else { return [] }
    let layout = store.layout
    return [
      File(
        part: part, path: store.url.path, images: layout.images, views: layout.views,
        unreadableImages: store.absentCount, size: layout.rowCount * layout.rowByteCount)
    ]
  }
}
