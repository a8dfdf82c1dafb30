import Autograd
import Foundation
import Tensors
import TestSupport
import Testing

@testable import BLIP2
@testable import Objectives

/// Hard negatives: drawn as often as the softmax of the similarities says, and never a positive.
@Suite struct HardNegativesTests {
  /// A contrast whose similarities are given.
  private func contrast(
    _ imageToText: Tensor, _ textToImage: Tensor, ids: [Int64], offset: Int = 0
  ) -> ImageTextContrast.Result {
    .init(
      loss: Variable(Tensor(0)), imageToText: imageToText, textToImage: textToImage, ids: ids,
      places: Array(offset..<offset + imageToText.rowCount))
  }

  private static let ids: [Int64] = [4, 9, 9, 1, 7, 4]

  private var example: ImageTextContrast.Result {
    contrast(randomTensor([6, 6], seed: 1), randomTensor([6, 6], seed: 2), ids: Self.ids)
  }

  @Test func frequenciesFollowTheSoftmax() {
    let example = example
    let draws = 6000
    var images = [[Int]](repeating: [Int](repeating: 0, count: 6), count: 6)
    var texts = images
    for seed in 0..<draws {
      let drawn = HardNegatives.drawn(
        from: example, generator: Philox(seed: UInt64(seed)), indices: Array(0..<6))
      for row in 0..<6 {
        images[row][drawn.images[row]!] += 1
        texts[row][drawn.texts[row]!] += 1
      }
    }
    for row in 0..<6 {
      expectSoftmax(images[row], example.textToImage.rows(row..<row + 1), row: row, draws: draws)
      expectSoftmax(texts[row], example.imageToText.rows(row..<row + 1), row: row, draws: draws)
    }
  }

  @Test func withoutHardnessAllThatAreAdmissibleComeEquallyOften() {
    let example = example
    var counts = [[Int]](repeating: [Int](repeating: 0, count: 6), count: 6)
    for seed in 0..<6000 {
      let drawn = HardNegatives.drawn(
        from: example, hard: false, generator: Philox(seed: UInt64(seed)), indices: Array(0..<6))
      for row in 0..<6 { counts[row][drawn.texts[row]!] += 1 }
    }
    let even = Tensor([Float](repeating: 0, count: 6), shape: [1, 6])
    for row in 0..<6 { expectSoftmax(counts[row], even, row: row, draws: 6000) }
  }

  private func expectSoftmax(_ counts: [Int], _ scores: Tensor, row: Int, draws: Int) {
    let admissible = (0..<6).filter { Self.ids[$0] != Self.ids[row] }
    #expect(counts.indices.allSatisfy { admissible.contains($0) || counts[$0] == 0 })
    let weights = admissible.map { exp(Double(scores.values[$0])) }
    let total = weights.reduce(0, +)
    let chiSquare = zip(admissible, weights).reduce(0.0) { sum, entry in
      let expected = entry.1 / total * Double(draws)
      let error = Double(counts[entry.0]) - expected
      return sum + error * error / expected
    }
    // What 4 degrees of freedom exceed once in 10,000 times; 3 do so more rarely.
    #expect(chiSquare < 23.5, "row \(row): \(counts)")
  }

  @Test func rowsWithoutNegativesAreLeftOut() {
    let scores = randomTensor([3, 3], seed: 1)
    let same = HardNegatives.drawn(
      from: contrast(scores, scores, ids: [5, 5, 5]), generator: Philox(seed: 1),
      indices: [0, 1, 2])
    #expect(same == HardNegatives(images: [nil, nil, nil], texts: [nil, nil, nil]))
    // One other image: it is the only choice, and its own row may choose among the rest.
    let one = HardNegatives.drawn(
      from: contrast(scores, scores, ids: [5, 5, 6]), generator: Philox(seed: 1),
      indices: [0, 1, 2])
    #expect(one.images[0] == 2 && one.images[1] == 2 && one.texts[0] == 2 && one.texts[1] == 2)
    #expect([0, 1].contains(one.images[2]!) && [0, 1].contains(one.texts[2]!))
  }

  /// Scores so far apart that all weights but one are zero in float32.
  @Test func extremeScores() {
    let scores = Tensor([0, 1e4, -1e4, 0, 0, 0, 0, 0, 3e38], shape: [3, 3])
    for seed in UInt64(0)..<50 {
      let drawn = HardNegatives.drawn(
        from: contrast(scores, scores, ids: [0, 1, 2]), generator: Philox(seed: seed),
        indices: [0, 1, 2])
      #expect(drawn.images[0] == 1 && drawn.texts[0] == 1)
      #expect([0, 2].contains(drawn.images[1]!) && [0, 1].contains(drawn.texts[2]!))
    }
  }

  @Test func drawsDependOnSeedAndIndexAlone() {
    let example = example
    let generator = Philox(seed: 17)
    let whole = HardNegatives.drawn(from: example, generator: generator, indices: Array(10..<16))
    #expect(
      HardNegatives.drawn(from: example, generator: generator, indices: Array(10..<16)) == whole)
    // A process that owns only the last four pairs draws what the whole batch drew for them.
    let part = contrast(
      example.imageToText.rows(2..<6), example.textToImage.rows(2..<6), ids: Self.ids, offset: 2)
    let drawn = HardNegatives.drawn(from: part, generator: generator, indices: Array(12..<16))
    #expect(drawn.images == Array(whole.images[2...]) && drawn.texts == Array(whole.texts[2...]))
    let others = (0..<20).map {
      HardNegatives.drawn(from: example, generator: Philox(seed: $0), indices: Array(10..<16))
    }
    #expect(others.contains { $0 != whole }, "another seed draws others")
    let shifted = (11..<31).map {
      HardNegatives.drawn(from: example, generator: generator, indices: Array($0..<$0 + 6))
    }
    #expect(shifted.contains { $0 != whole }, "another index draws others")
  }

  /// In a training step: the pairs judged are the own ones and those with negatives.
  @Test func candidatesOfAStep() {
    let negatives = HardNegatives(images: [1, nil, 0], texts: [nil, 2, nil])
    let candidates = MatchingCandidate.all(pairs: 3, negatives: negatives)
    #expect(candidates.map(\.image) == [0, 1, 2, 1, 0, 1])
    #expect(candidates.map(\.text) == [0, 1, 2, 0, 2, 2])
    #expect(candidates.map(\.isMatch) == [true, true, true, false, false, false])
    #expect(candidates.map(\.origin) == [0, 1, 2, 0, 2, 1])
  }
}
