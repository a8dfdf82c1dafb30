import Testing

@testable import Datasets

@Suite struct ShardOrderTests {
  private func indices(_ order: SampleOrder) -> [Int] { (0..<order.count).map { order[$0] } }

  @Test(arguments: [
    [1], [5], [3, 0, 7], [Int](repeating: 10, count: 16), [Int](repeating: 13, count: 41),
    [1000, 1, 1, 1, 50, 2, 0, 900],
  ])
  func everySampleComesOnce(counts: [Int]) {
    for window in [1, 7, 64, 100_000] {
      let order = ShardOrder.order(counts: counts, window: window, seed: 3, epoch: 1)
      #expect(indices(order).sorted() == Array(0..<counts.reduce(0, +)))
      #expect((0..<order.count).allSatisfy { order.visit(at: $0).epoch == 1 })
    }
  }

  @Test func seedAndEpochDecide() {
    func order(_ seed: UInt64, _ epoch: Int) -> [Int] {
      indices(
        ShardOrder.order(
          counts: Array(repeating: 9, count: 20), window: 32, seed: seed, epoch: epoch))
    }
    #expect(order(1, 0) == order(1, 0))
    #expect(order(1, 0) != order(1, 1))
    #expect(order(1, 0) != order(2, 0))
  }

  /// At any place few shards have been begun and not ended.
  @Test func fewShardsAreOpenAtATime() {
    let counts = Array(repeating: 100, count: 80)
    let order = indices(ShardOrder.order(counts: counts, window: 16 * 20, seed: 5, epoch: 0))
    var spans = [(first: Int, last: Int)](repeating: (.max, -1), count: 80)
    for (place, sample) in order.enumerated() {
      let shard = sample / 100
      spans[shard] = (min(spans[shard].first, place), max(spans[shard].last, place))
    }
    for place in stride(from: 0, to: order.count, by: 7) {
      #expect(spans.count { $0.first <= place && place <= $0.last } <= 32)
    }
    // Nearly sequential within a shard, and shuffled all the same.
    let ofOne = order.filter { $0 / 100 == 40 }
    let distances = ofOne.enumerated().map { abs($0.element % 100 - $0.offset) }
    #expect(distances.max() ?? 0 < 40 && distances.reduce(0, +) > 100)
  }

  /// A process that takes every R-th place reads shards of its own.
  @Test(arguments: [2, 4, 8, 16]) func sharesReadTheirOwnShards(shares: Int) {
    let order = indices(
      ShardOrder.order(
        counts: Array(repeating: 25, count: 48), window: 100, seed: 9, epoch: 2))
    let shards = (0..<shares).map { rank in
      Set(stride(from: rank, to: order.count, by: shares).map { order[$0] / 25 })
    }
    #expect(shards.reduce(0) { $0 + $1.count } == 48)
  }
}
