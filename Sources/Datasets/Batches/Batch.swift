import Tensors

/// One batch of images and captions.
public struct Batch: Sendable {
  /// The samples, `[batch]`.
  public var samples: [CaptionSample]
  /// Which of the global batch's samples each is, in ascending order.
  public var places: [Int]
  /// The samples' numbers, `[batch, …]`: pixels, or what else the loader's content is.
  public var content: Tensor
  /// Where the run goes on after this batch.
  public var positionAfter: LoaderPosition
  /// The samples that could not be read and were passed over since the batch before.
  public var skipped: [SkippedSample]

  public init(
    samples: [CaptionSample], places: [Int]? = nil, content: Tensor,
    positionAfter: LoaderPosition, skipped: [SkippedSample]
  ) {
    self.samples = samples
    self.places = places ?? Array(samples.indices)
    self.content = content
    self.positionAfter = positionAfter
    self.skipped = skipped
  }

  /// The epoch that the batch belongs to.
  public var epoch: Int { positionAfter.epoch }
}

/// Batches one after another, as a training run takes them.
public protocol BatchStream: AnyObject {
  /// - Returns: Nil after the last batch of a pass.
  func next() throws -> Batch?
  /// Ends what reads ahead.
  func stop()
}

/// A place in a run over a data set, from which a loader can go on exactly.
public struct LoaderPosition: Equatable, Hashable, Sendable, Codable {
  /// Counted from 0.
  public var epoch: Int
  /// How many places of the epoch's order were consumed, unreadable ones included.
  public var position: Int

  public init(epoch: Int = 0, position: Int = 0) {
    self.epoch = epoch
    self.position = position
  }
}
