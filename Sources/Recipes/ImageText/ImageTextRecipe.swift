import Autograd
import Configuration
import Datasets
import Foundation
import Reporting
import Tensors
import Training

/// A recipe that reads images with captions through an image encoder.
public protocol ImageTextRecipe: Recipe where Configuration: ImageTextConfiguration {
  var tower: VisionTower { get }
  var data: RunData { get }
  /// The digests of `fingerprints()` beside those of data and image encoder.
  func textFingerprints() throws -> [String: String]
  /// What `describe` says beside what all such recipes say.
  func describeTexts(_ progress: ProgressReporter)

  /// Makes the token ids of a caption, on the loader's threads.
  var captionEncoder: @Sendable (String) -> [Int32] { get }

  /// Counts the tokens of a caption as training would without a limit.
  static func tokenCounter(_ configuration: Configuration) throws -> (String) -> Int
}

/// The sections that such recipes share.
public protocol ImageTextConfiguration: RecipeConfiguration {
  var vision: VisionConfiguration { get set }
  var data: DataConfiguration { get }
}

extension ImageTextRecipe {
  public func fingerprints() throws -> [String: String] {
    var fingerprints = try textFingerprints()
    fingerprints["data"] = data.train?.fingerprint()
    fingerprints["vision"] = tower.fingerprint
    return fingerprints
  }

  public func describeTexts(_ progress: ProgressReporter) {}

  public func describe(_ progress: ProgressReporter) {
    let encoder = configuration.vision.path ?? "new \(configuration.vision.new.family.rawValue)"
    progress.say(
      "image encoder: \(encoder), \(tower.isFrozen ? "frozen" : "trained"), \(tower.summary)")
    describeTexts(progress)
    let values = model.trainedParameters.reduce(0) { $0 + $1.parameter.shape.reduce(1, *) }
    progress.say(String(format: "trained parameters: %.2f M", Double(values) / 1e6))
    data.describe(progress)
    if tower.readsFeatures, tower.views == 1, configuration.data.augmentation.isOn {
      progress.say(
        "  note: one view of an image is kept, the whole one: data.augmentation does nothing; "
          + "vision.views adds augmented ones")
    }
    data.describeFindings(progress)
  }

  public func reports(to report: @escaping (String) -> Void) { data.features?.report = report }

  public func batches(
    from position: LoaderPosition, _ progress: ProgressReporter
  ) throws -> any BatchStream {
    guard let train = data.train else {
      preconditionFailure("a run without training data cannot train")
    }
    try data.touchSources(tower: tower)
    reports(to: progress.say)
    let loader = try data.trainingLoader(
      train, tower: tower, encode: captionEncoder,
      batchSize: configuration.training.batchSize, startingAt: position)
    // Before the first step rather than in the middle of the run.
    _ = try data.validation.map { try data.evaluationContent($0, tower: tower) }
    return loader
  }
}

extension RunData {
  /// How much is read.
  fileprivate func describe(_ progress: ProgressReporter) {
    guard let train else { return }
    let pairs = train.pairCount.map { "\($0) pairs, " } ?? ""
    let heldOut = validation.map { ", \($0.pairCount ?? $0.imageCount) held out" } ?? ""
    progress.say("data: \(pairs)\(train.imageCount) images\(heldOut)")
    guard let mixture = train as? SourceMixture else { return }
    for (part, places) in zip(configuration.train.mix, mixture.places) {
      progress.say("  \(part.path): \(places) of an epoch's \(mixture.count) samples")
    }
  }

  /// What is odd about the training data.
  fileprivate func describeFindings(_ progress: ProgressReporter) {
    for finding in train?.findings ?? [] where !finding.examples.isEmpty {
      let more = finding.count > finding.examples.count ? ", …" : ""
      progress.say(
        "  \(finding.kind.rawValue): \(finding.count) ("
          + finding.examples.joined(separator: ", ") + more + ")")
    }
  }
}

extension ImageTextConfiguration {
  /// The image encoder and the data sets.
  /// - Parameter parts: The data sets that are wanted.
  func opened(reading parts: Set<DataPart>) throws -> (VisionTower, RunData) {
    let tower = try KeyedError.naming("vision.path", path: vision.path) {
      try VisionTower(vision, seed: run.seed, in: run.precision)
    }
    let features = vision.cache ? FeatureCache(vision, tower: tower) : nil
    return (tower, try RunData(data, seed: run.seed, features: features, reading: parts))
  }
}
