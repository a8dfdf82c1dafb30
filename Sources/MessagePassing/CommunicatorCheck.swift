import Objectives
import Tensors

/// Whether what processes say to one another arrives as it should: uneven, empty and absent parts, sums whose
/// bits depend on the order of ranks. Everybody knows what everybody says, and so what is to be heard.
public enum CommunicatorCheck {
  /// - Returns: What was heard and should not have been; nothing where all is well. Call it in all processes.
  public static func problems(_ own: some Communicator) -> [String] {
    var problems: [String] = []
    func expect(_ isSo: Bool, _ what: String) {
      if !isSo { problems.append("process \(own.rank): \(what)") }
    }
    let (rank, ranks) = (own.rank, Array(0..<own.count))
    let numbers = ranks.map { rank in (0..<3 * rank).map { Int64($0) << 40 + Int64(rank) } }
    expect(own.gathered(numbers[rank]) == numbers, "gathered numbers differ")
    let rows = ranks.map { values([$0, 5], from: $0) }
    expect(same(own.gathered(rows[rank]), rows), "gathered rows differ")

    func message(from: Int, to: Int) -> Tensor? {
      (from + 2 * to) % 3 == 1 ? nil : values([from + to, 3], from: from + 100 * to)
    }
    expect(
      same(
        own.exchanged(ranks.map { message(from: rank, to: $0) }),
        ranks.map { message(from: $0, to: rank) }), "exchanged rows differ")

    // More than fits in one piece of a message, to the next one alone.
    let (next, previous) = ((rank + 1) % own.count, (rank + own.count - 1) % own.count)
    let long = own.exchanged(ranks.map { $0 == next ? values([5_000_000], from: rank) : nil })
    expect(
      same(long, ranks.map { $0 == previous ? values([5_000_000], from: $0) : nil }),
      "long rows differ")
    for size in [own.count - 1, 10_007] {
      let all = ranks.map { values([size], from: $0) }
      let sum = all.dropFirst().reduce(all[0], +)
      expect(same([own.summed(all[rank])], [sum]), "the sum of \(size) values differs")
    }
    for speaker in ranks {
      expect(own.any(rank == speaker), "a flag of process \(speaker) was not heard")
    }
    expect(!own.any(false), "a flag was heard that nobody raised")
    return problems
  }

  /// Values of which sums are rounded.
  private static func values(_ shape: [Int], from source: Int) -> Tensor {
    let values = (0..<shape.reduce(1, *)).map { place in
      Float((place * 7919 + source * 104_729) % 100_003) / 100_003 - 0.5
    }
    return Tensor(values, shape: shape)
  }

  /// Whether shapes and bits are the same.
  private static func same(_ a: [Tensor?], _ b: [Tensor?]) -> Bool {
    a.map(\.?.shape) == b.map(\.?.shape)
      && a.map { $0?.values.map(\.bitPattern) } == b.map { $0?.values.map(\.bitPattern) }
  }
}
