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

  /// What training would make of a caption.
  static func captionReader(_ configuration: Configuration) throws -> (String) -> CaptionTokens
  /// What training makes of a caption, on the loader's threads.
  var captionReader: @Sendable (String) -> CaptionTokens { get }
}

/// The sections that such recipes share.
public protocol ImageTextConfiguration: RecipeConfiguration {
  var vision: VisionConfiguration { get set }
  var data: DataConfiguration { get set }
  var initialise: InitialiseConfiguration { get set }
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
    if configuration.vision.cache, tower.views == 1, configuration.data.augmentation.isOn {
      progress.say(
        "  note: one view of an image is kept, the whole one: data.augmentation does nothing; "
          + "vision.views adds augmented ones")
    }
    data.describeFindings(progress, captionReader)
  }

  public func reports(to report: @escaping (String) -> Void) { data.features?.report = report }

  public func keepNothing() { data.features?.makesMissing = false }

  public func batches(
    from position: LoaderPosition, share: LoaderShare, _ progress: ProgressReporter
  ) throws -> any BatchStream {
    guard let train = data.train else {
      preconditionFailure("a run without training data cannot train")
    }
    try data.touchSources(tower: tower)
    reports(to: progress.say)
    let loader = try data.trainingLoader(
      train, tower: tower, encode: captionEncoder,
      batchSize: configuration.training.batchSize * share.count, share: share,
      startingAt: position, reading: captionReader)
    // Before the first step rather than in the middle of the run.
    _ = try data.validation.map { try data.evaluationContent($0, tower: tower) }
    return loader
  }
}

extension RunData {
  /// How much is read.
  fileprivate func describe(_ progress: ProgressReporter) {
    guard let train else { return }
    let pairs = train.pairCount.map { Quantity.of($0, "pair") + ", " } ?? ""
    let heldOut =
      validation.map { ", \(Quantity.count($0.pairCount ?? $0.imageCount)) held out" } ?? ""
    progress.say("data: \(pairs)\(Quantity.of(train.imageCount, "image"))\(heldOut)")
    guard let mixture = train as? SourceMixture else { return }
    for (part, places) in zip(configuration.train.mix, mixture.places) {
      progress.say(
        "  \(part.path): \(Quantity.count(places)) of an epoch's "
          + Quantity.of(mixture.count, "sample")
      )
    }
  }

  /// How many images' captions are looked at before a run begins.
  private static let captionsTried = 4096

  /// What is odd about the training data; of their captions some are looked at, from all parts.
  fileprivate func describeFindings(
    _ progress: ProgressReporter, _ read: (String) -> CaptionTokens
  ) {
    guard let train else { return }
    var tally = CaptionTally()
    var count = 0
    for image in SampleImages.spread(Self.captionsTried, over: train.imageCount) {
      // One that cannot be read is named when its turn comes.
      guard let record = try? train.record(at: image) else { continue }
      count += record.captions.count
      for caption in record.captions { tally.add(caption, of: record.listedPath, read(caption)) }
    }
    for finding in train.findings + tally.findings where !finding.examples.isEmpty {
      let isTried = tally.findings.contains(finding) && count < train.pairCount ?? .max
      let more = finding.count > finding.examples.count ? ", …" : ""
      progress.say(
        "  \(finding.kind.rawValue): \(finding.count)\(isTried ? " of \(count) looked at" : "") ("
          + finding.examples.joined(separator: ", ") + more + ")")
    }
  }
}

/// Passes over what has no caption.
struct CaptionedContent: SampleContent {
  let content: any SampleContent
  let read: @Sendable (String) -> CaptionTokens

  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  var shape: [Int] { content.shape }

  func write(
    _ sample: CaptionSample, of source: any SampleSource, using random: inout RandomStream,
    into output: UnsafeMutableBufferPointer<Float>
  ) throws {
    if let refusal = read(sample.caption).refusal { throw Refusal(description: refusal) }
    try content.write(sample, of: source, using: &random, into: output)
  }
}

extension ImageTextConfiguration {
  /// The image encoder and the data sets.
  /// - Parameter parts: The data sets that are wanted.
  func opened(reading parts: Set<DataPart>) throws -> (VisionTower, RunData) {
    if parts.contains(.training) { try data.requireTraining() }
    let tower = try KeyedError.naming("vision.path", path: vision.path) {
      try VisionTower(vision, seed: run.seed, in: run.precision)
    }
    let features = vision.cache ? FeatureCache(vision, tower: tower) : nil
    return (tower, try RunData(data, seed: run.seed, features: features, reading: parts))
  }
}
