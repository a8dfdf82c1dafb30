/// The part of each global batch that one of several processes reads.
public struct LoaderShare: Equatable, Sendable {
  public let rank: Int
  public let count: Int

  /// All of every batch.
  public static let whole = LoaderShare(rank: 0, of: 1)

  /// The places `rank`, `rank + count`, … of each batch.
  public init(rank: Int, of count: Int) {
    precondition(count > 0 && (0..<count).contains(rank), "share \(rank) of \(count)")
    self.rank = rank
    self.count = count
  }

  public var isWhole: Bool { count == 1 }

  /// This share's places of a batch, in ascending order; the shares of one batch differ by one at most.
  public func places(ofBatch size: Int) -> [Int] {
    Array(stride(from: rank, to: size, by: count))
  }
}

/// The places of a run that a loader reads, one after another: in training its share of every batch
/// that an epoch fills, in evaluation all.
struct PlaceWalk {
  private let count: Int
  /// The places that an epoch has only together.
  private let batchSize: Int
  private let share: LoaderShare
  /// Where the present batch begins.
  private var batch: LoaderPosition
  /// The place within the batch.
  private var offset: Int

  /// - Parameters:
  ///   - start: Where a batch begins.
  ///   - count: The places of an epoch.
  init(from start: LoaderPosition, count: Int, options: BatchLoaderOptions) {
    self.count = count
    batchSize = options.pass == .training ? options.batchSize : 1
    share = options.share
    batch = start
    offset = share.rank
  }

  var place: LoaderPosition {
    LoaderPosition(epoch: batch.epoch, position: batch.position + offset)
  }

  /// Whether the epoch fills no further batch.
  var isAtEndOfEpoch: Bool { count - batch.position < batchSize }

  mutating func advance() {
    offset += share.count
    if offset >= batchSize {
      batch.position += batchSize
      offset = share.rank
    }
  }

  mutating func beginNextEpoch() { batch = LoaderPosition(epoch: batch.epoch + 1) }
}
