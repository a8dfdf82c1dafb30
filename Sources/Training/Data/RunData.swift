import Datasets
import Foundation
import Tensors

/// The data sets of a run and the loaders over them.
public struct RunData {
  /// Nil where only held-out pairs are wanted.
  public let train: CaptionDataset?
  /// Held-out images with all their captions, if the configuration names any.
  public let validation: CaptionDataset?
  public let tokenizer: CaptionTokenizer
  let configuration: DataConfiguration
  let decoder: ImageDecoder
  private let seed: UInt64
  /// Nil where pictures are read anew at every visit.
  let features: FeatureCache?

  /// - Parameter readsTraining: Evaluation does without the training pairs, which may not be there.
  /// - Throws: `DatasetError`, `TokenizerError`.
  init(
    _ configuration: DataConfiguration, seed: UInt64, features: FeatureCache? = nil,
    readsTraining: Bool = true
  ) throws {
    train = readsTraining ? try configuration.train.dataset() : nil
    validation = try configuration.validation.dataset()
    tokenizer = try CaptionTokenizer(configuration)
    decoder = ImageDecoder(configuration)
    self.configuration = configuration
    self.seed = seed
    self.features = features
  }

  /// Endless training batches from a place on.
  func trainingLoader(
    _ dataset: CaptionDataset, tower: VisionTower, batchSize: Int, startingAt start: LoaderPosition
  ) throws -> BatchLoader {
    let augmented = augmented(for: tower)
    let content = try features.map {
      let views = tower.cachedViews
      return try $0.store(
        for: request(dataset, [plain(for: tower)] + Array(repeating: augmented, count: views - 1)))
    }
    return try loader(
      dataset, content ?? PictureContent(decoder: decoder, transform: augmented), .training,
      batchSize, startingAt: start)
  }

  /// One pass over held-out pairs, in their order.
  func evaluationLoader(
    _ dataset: CaptionDataset, tower: VisionTower, batchSize: Int
  ) throws -> BatchLoader {
    try loader(
      dataset, evaluationContent(dataset, tower: tower), .evaluation, batchSize,
      startingAt: LoaderPosition())
  }

  /// What stands for held-out pictures; their features are computed here where they are kept.
  func evaluationContent(
    _ dataset: CaptionDataset, tower: VisionTower
  ) throws -> any SampleContent {
    let transform = plain(for: tower)
    return try features.map { try $0.store(for: request(dataset, [transform])) }
      ?? PictureContent(decoder: decoder, transform: transform)
  }

  private func plain(for tower: VisionTower) -> ImageTransform {
    .evaluation(side: tower.imageSize, normalization: tower.normalization)
  }

  private func augmented(for tower: VisionTower) -> ImageTransform {
    let augmentation = configuration.augmentation
    let crop = RandomResizedCrop(area: augmentation.leastArea...1)
    return ImageTransform(
      size: ImageSize(width: tower.imageSize, height: tower.imageSize),
      framing: augmentation.crop ? .randomResizedCrop(crop) : .whole,
      flipProbability: augmentation.flipProbability, normalization: tower.normalization)
  }

  private func request(
    _ dataset: CaptionDataset, _ transforms: [ImageTransform]
  ) -> FeatureCache.Request {
    FeatureCache.Request(
      dataset: dataset, decoder: decoder, transforms: transforms, seed: seed,
      workers: configuration.workers, maximumBadShare: configuration.maximumBadShare)
  }

  private func loader(
    _ dataset: CaptionDataset, _ content: any SampleContent, _ pass: BatchLoaderOptions.Pass,
    _ batchSize: Int, startingAt start: LoaderPosition
  ) throws -> BatchLoader {
    try BatchLoader(
      source: dataset, content: content,
      options: BatchLoaderOptions(
        pass: pass, batchSize: batchSize, seed: seed, workerCount: configuration.workers,
        prefetchedBatches: configuration.prefetchedBatches,
        maximumBadShare: configuration.maximumBadShare), startingAt: start)
  }
}

extension DataSourceConfiguration {
  /// The data set; nil without a path.
  public func dataset() throws -> CaptionDataset? {
    try path.map {
      try CaptionDataset(
        URL(fileURLWithPath: $0), imageFolder: imageFolder.map { URL(fileURLWithPath: $0) },
        captions: captions)
    }
  }
}

extension HeldOutConfiguration {
  /// The data set, with a sample for each image; nil without a path.
  public func dataset() throws -> CaptionDataset? {
    try path.map {
      try CaptionDataset(
        URL(fileURLWithPath: $0), imageFolder: imageFolder.map { URL(fileURLWithPath: $0) },
        captions: .draw)
    }
  }
}

extension ImageDecoder {
  /// The decoder that a configuration asks for.
  public init(_ configuration: DataConfiguration) {
    self.init(
      configuration.decoding, maximumPixelCount: configuration.maximumPixelCount)
  }
}

extension Batch {
  /// The pictures as a tensor, `[batch, 3, side, side]`.
  func pixelTensor(side: Int) -> Tensor {
    Tensor(values, shape: [samples.count, 3, side, side])
  }
}
