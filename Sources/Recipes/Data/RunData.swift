import Datasets
import Foundation
import Tensors
import Training

/// The data sets of a run and the loaders over them.
public struct RunData {
  /// Nil where training pairs are not wanted.
  public let train: (any CaptionSource)?
  /// Held-out images with all their captions, if the configuration names any.
  public let validation: (any CaptionSource)?
  let configuration: DataConfiguration
  let decoder: ImageDecoder
  private let seed: UInt64
  /// Nil where images are read anew at every visit.
  let features: FeatureCache?

  /// - Parameter parts: Which data sets are read; the others may not be there.
  /// - Throws: `DatasetError`.
  init(
    _ configuration: DataConfiguration, seed: UInt64, features: FeatureCache? = nil,
    reading parts: Set<DataPart> = Set(DataPart.allCases)
  ) throws {
    train = parts.contains(.training) ? try configuration.train.source() : nil
    validation =
      parts.contains(.validation)
      ? try KeyedError.naming("data.validation.path", path: configuration.validation.path) {
        try configuration.validation.location?.open()
      } : nil
    decoder = ImageDecoder(configuration)
    self.configuration = configuration
    self.seed = seed
    self.features = features
  }

  /// Makes the token ids of a caption, on the loader's threads.
  typealias CaptionEncoder = @Sendable (String) -> [Int32]

  /// Endless training batches from a place on.
  /// - Parameters:
  ///   - batchSize: Pairs of a global batch.
  ///   - share: What is read of each.
  ///   - read: Tells which captions hold no word to be trained on, and are passed over.
  func trainingLoader(
    _ dataset: any CaptionSource, tower: VisionTower, encode: @escaping CaptionEncoder,
    batchSize: Int, share: LoaderShare = .whole, startingAt start: LoaderPosition,
    reading read: (@Sendable (String) -> CaptionTokens)? = nil
  ) throws -> BatchLoader {
    let content = try trainingContent(dataset, tower: tower)
    return try BatchLoader(
      source: dataset,
      content: read.map { CaptionedContent(content: content, read: $0) } ?? content,
      encode: encode, options: options(.training, batchSize, share), startingAt: start)
  }

  /// What stands for training images; their features are computed here where they are kept.
  func trainingContent(
    _ dataset: any CaptionSource, tower: VisionTower
  ) throws -> any SampleContent {
    let transforms = augmented(for: tower)
    return try features.flatMap {
      let views = [[plain(for: tower)]] + Array(repeating: transforms, count: tower.views - 1)
      return try $0.store(for: request(dataset, views))
    } ?? ImageContent(decoder: decoder, transforms: transforms)
  }

  /// One pass over held-out pairs, in their order.
  /// - Parameter encode: Nil where no token ids are wanted.
  func evaluationLoader(
    _ dataset: any CaptionSource, tower: VisionTower, encode: CaptionEncoder? = nil,
    batchSize: Int
  ) throws -> BatchLoader {
    try BatchLoader(
      source: dataset, content: evaluationContent(dataset, tower: tower), encode: encode,
      options: options(.evaluation, batchSize))
  }

  /// What stands for held-out images; their features are computed here where they are kept.
  func evaluationContent(
    _ dataset: any CaptionSource, tower: VisionTower
  ) throws -> any SampleContent {
    let transform = plain(for: tower)
    return try features.flatMap { try $0.store(for: request(dataset, [[transform]])) }
      ?? ImageContent(decoder: decoder, transform: transform)
  }

  /// What evaluation does to an image.
  func plain(for tower: VisionTower) -> ImageTransform {
    .evaluation(side: tower.imageSize, normalization: tower.normalization)
  }

  /// What training does to the images of each source.
  private func augmented(for tower: VisionTower) -> [ImageTransform] {
    let augmentation = configuration.augmentation
    let crop = RandomResizedCrop(area: augmentation.leastArea...1)
    let policy = RandAugment(
      operations: augmentation.randAugmentOperations,
      magnitude: augmentation.randAugmentMagnitude)
    let isAugmented = configuration.train.mix.map { $0.randAugment ?? augmentation.randAugment }
    return (isAugmented.isEmpty ? [augmentation.randAugment] : isAugmented).map {
      ImageTransform(
        size: ImageSize(width: tower.imageSize, height: tower.imageSize),
        framing: augmentation.crop ? .randomResizedCrop(crop) : .whole,
        flipProbability: augmentation.flipProbability, randAugment: $0 ? policy : nil,
        normalization: tower.normalization)
    }
  }

  private func request(
    _ dataset: any CaptionSource, _ views: [[ImageTransform]]
  ) -> FeatureCache.Request {
    FeatureCache.Request(
      dataset: dataset, decoder: decoder, views: views,
      workers: configuration.workers, maximumBadShare: configuration.maximumBadShare)
  }

  private func options(
    _ pass: BatchLoaderOptions.Pass, _ batchSize: Int, _ share: LoaderShare = .whole
  ) -> BatchLoaderOptions {
    BatchLoaderOptions(
      pass: pass, batchSize: batchSize, seed: seed, workerCount: configuration.workers,
      prefetchedBatches: configuration.prefetchedBatches,
      maximumBadShare: configuration.maximumBadShare, share: share)
  }
}

extension ImageDecoder {
  /// The decoder that a configuration asks for.
  public init(_ configuration: DataConfiguration) {
    self.init(
      configuration.decoding, maximumPixelCount: configuration.maximumPixelCount)
  }
}
