import TestSupport
import Testing

@testable import LanguageModels

@Suite struct BestTokensTests {
  private func best(_ values: [Float], keeping limit: Int) -> [ScoredToken] {
    var row = values
    return row.withUnsafeMutableBufferPointer { row in
      row.baseAddress.map { LogitRow(values: $0, count: row.count).bestTokens(limit) } ?? []
    }
  }

  /// Against a sort of the whole row; values from few different ones, so that many are equal.
  @Test(arguments: [1, 2, 15, 16, 17, 255, 256, 257, 1000, 5003])
  func likeASort(vocabulary: Int) {
    var random = SeededGenerator(UInt64(vocabulary))
    for kinds in [3, 50, 1_000_000] {
      let values = (0..<vocabulary).map { _ -> Float in
        let kind = Int.random(in: 0..<kinds, using: &random)
        return kind == 0 ? -.infinity : Float(kind) - Float(kinds / 2)
      }
      let sorted = values.indices.filter { values[$0] > -.infinity }
        .sorted { (-values[$0], $0) < (-values[$1], $1) }
        .map { ScoredToken(token: Int32($0), value: values[$0]) }
      for limit in [1, 2, 10, 300, 6000] {
        #expect(best(values, keeping: limit) == Array(sorted.prefix(limit)))
      }
    }
  }

  @Test func nothingToKeep() {
    #expect(best([], keeping: 3) == [])
    #expect(best([-.infinity, -.infinity], keeping: 3) == [])
  }

  @Test func thresholdsAreFoundToTheBit() {
    let values: [Float] = [
      -.infinity, -3e38, -1, -.leastNonzeroMagnitude, 0, .leastNonzeroMagnitude, 1, Float(1).nextUp,
      3e38, .infinity,
    ]
    for value in values {
      #expect(largestThreshold { $0 <= value } == value)
    }
    #expect(largestThreshold { _ in false } == -.infinity)
  }
}
