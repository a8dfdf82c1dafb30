import Foundation
import TestSupport
import Testing

@testable import Metrics

/// VQA accuracy: the numbers and the spelling of the public evaluation.
@Suite struct AnswerScoresTests {
  private struct Cases: Decodable {
    var texts: [Text]
    var items: [Item]

    struct Text: Decodable {
      var answer: String
      var normalised: String
      var withoutPunctuation: String
    }

    struct Item: Decodable {
      var answers: [String]
      var prediction: String
      var accuracy: Double
    }
  }

  private func cases() throws -> Cases {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let file = Goldens.repository.appendingPathComponent("Tests/Fixtures/vqa-accuracy/cases.json")
    return try decoder.decode(Cases.self, from: Data(contentsOf: file))
  }

  @Test func spelling() throws {
    for text in try cases().texts {
      #expect(AnswerText.normalized(text.answer) == text.normalised, "\(text.answer)")
      #expect(
        AnswerText.withoutPunctuation(text.answer) == text.withoutPunctuation, "\(text.answer)")
    }
  }

  @Test func accuracies() throws {
    let items = try cases().items
    let scores = AnswerScores(
      answers: items.map(\.answers), predictions: items.map(\.prediction))
    for (accuracy, item) in zip(scores.itemAccuracies, items) {
      #expect(abs(accuracy - item.accuracy) < 1e-9, "\(item)")
    }
    let mean = items.map(\.accuracy).reduce(0, +) / Double(items.count)
    #expect(abs(scores.accuracy - mean) < 1e-9)
  }

  /// Of ten people: nobody, one, two, three, four who gave the answer.
  @Test func leavesEachPersonOut() {
    let answers = (0...4).map { count in
      (0..<10).map { $0 < count ? "dog" : "cat \($0)" }
    }
    let scores = AnswerScores(
      answers: answers, predictions: .init(repeating: "A dog.", count: answers.count))
    for (accuracy, expected) in zip(scores.itemAccuracies, [0, 0.3, 0.6, 0.9, 1]) {
      #expect(abs(accuracy - expected) < 1e-12)
    }
  }

  @Test func unanswerableSetsAreRefused() async {
    await #expect(processExitsWith: .failure) {
      _ = AnswerScores(answers: [["yes"], []], predictions: ["yes", "no"])
    }
    await #expect(processExitsWith: .failure) { _ = AnswerScores(answers: [], predictions: []) }
  }
}
