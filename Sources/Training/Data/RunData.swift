import Datasets
import Foundation
import Tensors

/// The data sets of a run and the loaders over them.
public struct RunData {
  public let train: CaptionDataset
  /// Held-out pairs, if the configuration names any.
  public let validation: CaptionDataset?
  public let tokenizer: CaptionTokenizer
  let configuration: DataConfiguration
  private let decoder: ImageDecoder
  private let seed: UInt64

  /// - Throws: `DatasetError`, `TokenizerError`.
  public init(_ configuration: DataConfiguration, seed: UInt64) throws {
    guard let train = try RunData.dataset(configuration.train) else {
      throw ConfigurationError.invalidValue(
        field: "data.train.path", found: "null", expected: "a list or a folder of pairs",
        advice: "")
    }
    self.train = train
    validation = try RunData.dataset(configuration.validation)
    tokenizer = try CaptionTokenizer(configuration)
    decoder = ImageDecoder(configuration)
    self.configuration = configuration
    self.seed = seed
  }

  /// The data set of one source; nil if it has no path.
  public static func dataset(_ source: DataSourceConfiguration) throws -> CaptionDataset? {
    guard let path = source.path else { return nil }
    return try CaptionDataset(
      URL(fileURLWithPath: path), imageFolder: source.imageFolder.map { URL(fileURLWithPath: $0) },
      captions: source.captions)
  }

  /// Endless training batches from a place on.
  func trainingLoader(
    tower: VisionTower, batchSize: Int, startingAt start: LoaderPosition
  ) throws -> BatchLoader {
    let augmentation = configuration.augmentation
    let crop = RandomResizedCrop(area: augmentation.leastArea...1)
    let transform = ImageTransform(
      size: ImageSize(width: tower.imageSize, height: tower.imageSize),
      framing: augmentation.crop ? .randomResizedCrop(crop) : .whole,
      flipProbability: augmentation.flipProbability, normalization: tower.normalization)
    return try loader(train, transform, .training, batchSize, startingAt: start)
  }

  /// One pass over held-out pairs, in their order.
  func evaluationLoader(
    _ dataset: CaptionDataset, tower: VisionTower, batchSize: Int
  ) throws -> BatchLoader {
    let transform = ImageTransform.evaluation(
      side: tower.imageSize, normalization: tower.normalization)
    return try loader(dataset, transform, .evaluation, batchSize, startingAt: LoaderPosition())
  }

  private func loader(
    _ dataset: CaptionDataset, _ transform: ImageTransform, _ pass: BatchLoaderOptions.Pass,
    _ batchSize: Int, startingAt start: LoaderPosition
  ) throws -> BatchLoader {
    try BatchLoader(
      source: dataset, decoder: decoder, transform: transform,
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
  /// The pictures as a tensor, `[batch, 3, height, width]`.
  var pixelTensor: Tensor {
    Tensor(pixels, shape: [samples.count, 3, imageSize.height, imageSize.width])
  }
}
