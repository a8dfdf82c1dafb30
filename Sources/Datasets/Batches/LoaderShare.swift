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
}

/// The places of a run that a share reads, one after another.
///
/// The whole reads all places of an epoch. A part reads its own of every batch that the epoch fills,
/// so that all parts make the same number of batches.
struct PlaceWalk {
  private(set) var place = LoaderPosition()
  private var end = 0
  private let count: Int
  private let batchSize: Int
  private let share: LoaderShare

  /// - Parameters:
  ///   - start: Where a batch begins.
  ///   - count: The places of an epoch.
  init(from start: LoaderPosition, count: Int, batchSize: Int, share: LoaderShare) {
    self.count = count
    self.batchSize = batchSize
    self.share = share
    begin(start)
  }

  /// Whether the epoch has no more places for this share.
  var isAtEndOfEpoch: Bool { place.position >= end }

  mutating func advance() { place.position += share.count }

  mutating func beginNextEpoch() { begin(LoaderPosition(epoch: place.epoch + 1)) }

  private mutating func begin(_ start: LoaderPosition) {
    let left = count - start.position
    end = share.isWhole ? count : start.position + left / batchSize * batchSize
    place = LoaderPosition(epoch: start.epoch, position: start.position + share.rank)
  }
}
