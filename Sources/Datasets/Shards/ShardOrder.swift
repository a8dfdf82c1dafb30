import Tensors

/// The order in which an epoch reads shards: random enough, and nearly one after another.
///
/// The shards, permuted, are dealt to lanes, each to the one with the fewest samples so far. A lane
/// is its shards one after another, shuffled within windows. Places go to the lanes in turn until
/// each is exhausted. So a lane reads in one place of one shard at a time, and where `R` divides the
/// number of lanes, the places `p ≡ r (mod R)` are those of lanes `l ≡ r (mod R)`, up to where the
/// first lane ends: a process that takes them reads the shards of its lanes only. Lanes are as long as
/// whole shards make them: towards an epoch's end, where few lanes are left, samples come from fewer
/// shards, shuffled within the windows of these lanes alone.
enum ShardOrder {
  static let laneLimit = 16

  /// - Parameters:
  ///   - counts: The samples of each shard.
  ///   - window: Among how many samples, over all lanes, is shuffled.
  static func order(counts: [Int], window: Int, seed: UInt64, epoch: Int) -> SampleOrder {
    var random = RandomStream(.shards, seed: seed, epoch: epoch)
    let lanes = lanes(counts, &random).enumerated().map { number, shards in
      var random = RandomStream(.window, seed: seed, epoch: epoch, sample: number)
      return lane(shards, window: max(1, window / min(laneLimit, counts.count)), &random)
    }
    var indices: [UInt32] = []
    indices.reserveCapacity(counts.reduce(0, +))
    for place in 0..<(lanes.map(\.count).max() ?? 0) {
      for lane in lanes where place < lane.count { indices.append(lane[place]) }
    }
    return SampleOrder(indices: indices, epoch: epoch)
  }

  /// The ranges of samples that each lane reads.
  private static func lanes(
    _ counts: [Int], _ random: inout RandomStream
  ) -> [[Range<UInt32>]] {
    let starts = counts.starts.map { UInt32($0) }
    var shards = zip(starts, starts.dropFirst()).map { $0..<$1 }
    random.shuffle(&shards[...])
    var lanes = [[Range<UInt32>]](repeating: [], count: min(laneLimit, counts.count))
    var totals = [Int](repeating: 0, count: lanes.count)
    for shard in shards {
      guard let lane = totals.indices.min(by: { totals[$0] < totals[$1] }) else { break }
      lanes[lane].append(shard)
      totals[lane] += shard.count
    }
    return lanes
  }

  /// A lane's samples. Windows do not overlap; the first is cut at random, so that the cuts lie
  /// elsewhere in each epoch.
  private static func lane(
    _ shards: [Range<UInt32>], window: Int, _ random: inout RandomStream
  ) -> [UInt32] {
    var samples = shards.flatMap { Array($0) }
    var start = 0
    var length = 1 + Int(random.number(below: UInt32(clamping: window)))
    while start < samples.count {
      let end = start + min(length, samples.count - start)
      random.shuffle(&samples[start..<end])
      (start, length) = (end, window)
    }
    return samples
  }
}
