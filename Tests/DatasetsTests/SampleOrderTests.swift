import Tensors
import Testing

@testable import Datasets

@Suite struct SampleOrderTests {
  @Test(arguments: [1, 2, 3, 10, 1000]) func everySampleComesOnce(count: Int) {
    let order = SampleOrder(count: count, seed: 3, epoch: 2)
    #expect((0..<count).map { order[$0] }.sorted() == Array(0..<count))
  }

  @Test func seedAndEpochDecide() {
    func order(_ seed: UInt64, _ epoch: Int) -> [Int] {
      let order = SampleOrder(count: 100, seed: seed, epoch: epoch)
      return (0..<100).map { order[$0] }
    }
    #expect(order(1, 0) == order(1, 0))
    #expect(order(1, 0) != order(1, 1))
    #expect(order(1, 0) != order(2, 0))
    #expect(order(1, 0) != Array(0..<100))
  }

  @Test func permutationsAreEquallyLikely() {
    var counts: [[Int]: Int] = [:]
    for epoch in 0..<24_000 {
      let order = SampleOrder(count: 4, seed: 11, epoch: epoch)
      counts[(0..<4).map { order[$0] }, default: 0] += 1
    }
    #expect(counts.count == 24)
    // Chi-squared with 23 degrees of freedom stays below 49.7 in 999 of 1000 trials.
    let chiSquared = counts.values.reduce(0.0) { $0 + Double(($1 - 1000) * ($1 - 1000)) / 1000 }
    #expect(chiSquared < 49.7)
  }

  @Test func boundedNumbersAreUnbiased() {
    var random = RandomStream(Philox(seed: 1), site: 5)
    // Two thirds of 2^32: taking the remainder would favour the lower half two to one.
    let limit: UInt32 = 2_863_311_531
    let low = (0..<30_000).count { _ in random.number(below: limit) < limit / 2 }
    #expect(abs(low - 15_000) < 350)
    #expect((0..<100).allSatisfy { _ in random.number(below: 1) == 0 })
  }

  @Test func naturalOrder() {
    let order = SampleOrder(sequential: 5)
    #expect((0..<5).map { order[$0] } == [0, 1, 2, 3, 4])
  }
}
