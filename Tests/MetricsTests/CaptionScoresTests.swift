import Foundation
import TestSupport
import Testing

@testable import Metrics

/// BLEU, ROUGE-L and CIDEr-D: the numbers of pycocoevalcap.
@Suite struct CaptionScoresTests {
  /// Equal up to the rounding of double precision: one millionth of the value.
  private func isClose(_ value: Double, _ expected: Double) -> Bool {
    abs(value - expected) <= 1e-6 * abs(expected)
  }

  private func expectClose(_ values: [Double], _ expected: [Double], _ name: String) {
    #expect(values.count == expected.count, "\(name)")
    for (index, pair) in zip(values, expected).enumerated() {
      #expect(isClose(pair.0, pair.1), "\(name) \(index): \(pair.0), expected \(pair.1)")
    }
  }

  @Test func goldens() throws {
    let files = Goldens.files(in: "metrics", ending: ".json")
    #expect(!files.isEmpty)
    for file in files {
      // JSONDecoder turns no keys of dictionaries around: BLEU_1 and so on stay.
      let golden = try MetricsGolden(file)
      let tokenized = CaptionScores(
        tokenizedReferences: golden.items.map(\.referencesTokenised),
        tokenizedCandidates: golden.items.map(\.candidateTokenised))
      let raw = CaptionScores(
        references: golden.items.map(\.references), candidates: golden.items.map(\.candidate))
      #expect(raw.bleu == tokenized.bleu && raw.itemCIDEr == tokenized.itemCIDEr)
      func expected(_ name: String) throws -> [Double] {
        try golden.items.map { try #require($0.scores[name]) }
      }
      for order in 1...4 {
        let name = "BLEU_\(order)"
        expectClose(tokenized.itemBLEU.map { $0[order - 1] }, try expected(name), name)
        expectClose([tokenized.bleu[order - 1]], [try #require(golden.corpus[name])], name)
      }
      expectClose(tokenized.itemRougeL, try expected("ROUGE_L"), "ROUGE_L")
      expectClose([tokenized.rougeL], [try #require(golden.corpus["ROUGE_L"])], "ROUGE_L")
      expectClose(tokenized.itemCIDEr, try expected("CIDEr"), "CIDEr")
      expectClose([tokenized.cider], [try #require(golden.corpus["CIDEr"])], "CIDEr")
    }
  }

  private struct Cases: Decodable {
    var sets: [Set]

    struct Set: Decodable {
      var references: [[String]]
      var candidates: [String]
      var bleu: [Double]
      var rougeL: Double
      var cider: Double
      var itemBleu: [[Double]]
      var itemRougeL: [Double]
      var itemCider: [Double]
    }
  }

  /// One item, empty captions, repeated words, no-break spaces, accents of either composition.
  @Test func unusualSets() throws {
    let file = Goldens.repository.appendingPathComponent("Tests/Fixtures/caption-scores/cases.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let cases = try decoder.decode(Cases.self, from: Data(contentsOf: file))
    #expect(!cases.sets.isEmpty)
    for (number, set) in cases.sets.enumerated() {
      let scores = CaptionScores(
        tokenizedReferences: set.references, tokenizedCandidates: set.candidates)
      expectClose(scores.bleu, set.bleu, "set \(number), BLEU")
      expectClose([scores.rougeL, scores.cider], [set.rougeL, set.cider], "set \(number)")
      expectClose(scores.itemBLEU.flatMap { $0 }, set.itemBleu.flatMap { $0 }, "set \(number)")
      expectClose(scores.itemRougeL, set.itemRougeL, "set \(number), ROUGE-L")
      expectClose(scores.itemCIDEr, set.itemCider, "set \(number), CIDEr")
    }
  }

  @Test func rawCaptionsAreSplit() {
    let scores = CaptionScores(
      references: [["A dog's ball."], ["Two men, one horse!"]],
      candidates: ["a DOG's ball", "two men one horse"])
    expectClose(scores.itemRougeL, [1, 1], "ROUGE-L")
    #expect(scores.itemBLEU.allSatisfy { abs($0[3] - 1) < 1e-6 })
  }

  @Test func emptyCandidatesScoreNothing() {
    let scores = CaptionScores(
      references: [["a dog"], ["a cat sits"]], candidates: ["", "a cat sits"])
    #expect(scores.itemRougeL == [0, 1])
    #expect(scores.itemCIDEr[0] == 0 && scores.itemBLEU[0].allSatisfy { $0 < 1e-3 })
    #expect(scores.bleu.allSatisfy { $0.isFinite })
  }

  @Test func itemsWithoutReferencesAreRefused() async {
    await #expect(processExitsWith: .failure) {
      _ = CaptionScores(references: [["a"], []], candidates: ["a", "b"])
    }
    await #expect(processExitsWith: .failure) {
      _ = CaptionScores(references: [["a"]], candidates: [])
    }
  }
}
