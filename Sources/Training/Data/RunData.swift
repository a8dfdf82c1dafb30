import Datasets
import Foundation
import Tensors

/// The data sets of a run and the loaders over them.
public struct RunData {
  /// Nil where only held-out pairs are wanted.
  public let train: (any CaptionSource)?
  /// Held-out images with all their captions, if the configuration names any.
  public let validation: (any CaptionSource)?
  public let tokenizer: CaptionTokenizer
  let configuration: DataConfiguration
  private let decoder: ImageDecoder
  private let seed: UInt64

  /// - Parameter readsTraining: Evaluation does without the training pairs, which may not be there.
  /// - Throws: `DatasetError`, `TokenizerError`.
  public init(_ configuration: DataConfiguration, seed: UInt64, readsTraining: Bool = true) throws {
    train = readsTraining ? try configuration.train.source() : nil
    validation = try configuration.validation.location?.open()
    tokenizer = try CaptionTokenizer(configuration)
    decoder = ImageDecoder(configuration)
    self.configuration = configuration
    self.seed = seed
  }

  /// Endless training batches from a place on.
  func trainingLoader(
    _ dataset: any CaptionSource, tower: VisionTower, batchSize: Int,
    startingAt start: LoaderPosition
  ) throws -> BatchLoader {
    let augmentation = configuration.augmentation
    let crop = RandomResizedCrop(area: augmentation.leastArea...1)
    let transform = ImageTransform(
      size: ImageSize(width: tower.imageSize, height: tower.imageSize),
      framing: augmentation.crop ? .randomResizedCrop(crop) : .whole,
      flipProbability: augmentation.flipProbability, normalization: tower.normalization)
    return try loader(dataset, transform, .training, batchSize, startingAt: start)
  }

  /// One pass over held-out pairs, in their order.
  func evaluationLoader(
    _ dataset: any CaptionSource, tower: VisionTower, batchSize: Int
  ) throws -> BatchLoader {
    let transform = ImageTransform.evaluation(
      side: tower.imageSize, normalization: tower.normalization)
    return try loader(dataset, transform, .evaluation, batchSize, startingAt: LoaderPosition())
  }

  private func loader(
    _ dataset: any CaptionSource, _ transform: ImageTransform, _ pass: BatchLoaderOptions.Pass,
    _ batchSize: Int, startingAt start: LoaderPosition
  ) throws -> BatchLoader {
    try BatchLoader(
      source: dataset, content: PictureContent(decoder: decoder, transform: transform),
      options: BatchLoaderOptions(
        pass: pass, batchSize: batchSize, seed: seed, workerCount: configuration.workers,
        prefetchedBatches: configuration.prefetchedBatches,
        maximumBadShare: configuration.maximumBadShare), startingAt: start)
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
