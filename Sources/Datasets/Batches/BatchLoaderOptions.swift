import Foundation

/// How a ``BatchLoader`` goes through its samples.
public struct BatchLoaderOptions: Sendable {
  /// Training or evaluation.
  public enum Pass: Sendable {
    /// Epoch after epoch without end, each in its own random order. What is left at the end of an
    /// epoch and does not fill a batch is dropped; another sample stands in for an unreadable one.
    case training
    /// Once through all samples in their own order. Unreadable ones are passed over, and the last batch
    /// may be smaller.
    case evaluation
  }

  public var pass: Pass
  /// The samples of a global batch.
  public var batchSize: Int
  /// The part of each global batch that the loader delivers.
  public var share: LoaderShare
  /// Decides order, captions and augmentation, together with the epoch.
  public var seed: UInt64
  public var workerCount: Int
  /// How many batches are prepared ahead; this bounds the memory.
  public var prefetchedBatches: Int
  /// The share of an epoch's samples that may be unreadable; see ``BadSampleCount``.
  public var maximumBadShare: Double

  public init(
    pass: Pass, batchSize: Int, seed: UInt64,
    workerCount: Int = ProcessInfo.processInfo.activeProcessorCount, prefetchedBatches: Int = 4,
    maximumBadShare: Double = 0.01, share: LoaderShare = .whole
  ) {
    precondition(batchSize > 0, "batchSize is \(batchSize); expected at least 1")
    precondition(workerCount > 0, "workerCount is \(workerCount); expected at least 1")
    precondition(
      prefetchedBatches > 0, "prefetchedBatches is \(prefetchedBatches); expected at least 1")
    precondition(
      (0...1).contains(maximumBadShare), "maximumBadShare \(maximumBadShare) is not in 0...1")
    precondition(
      share.isWhole || pass == .training && batchSize >= share.count,
      "a batch of \(batchSize) in \(share.count) shares; expected training and a sample for each")
    self.pass = pass
    self.batchSize = batchSize
    self.seed = seed
    self.workerCount = workerCount
    self.prefetchedBatches = prefetchedBatches
    self.maximumBadShare = maximumBadShare
    self.share = share
  }

  /// The samples of a batch that the loader delivers.
  public var shareSize: Int { share.places(ofBatch: batchSize).count }
}
