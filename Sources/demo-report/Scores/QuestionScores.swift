import Foundation

/// How many answers are right, beside what always giving the same answer would reach.
struct QuestionScores: Encodable, Equatable {
  struct Part: Encodable, Equatable {
    let questions: Int
    let accuracy: Share
    let mostFrequent: Share
    let mostFrequentAnswer: String

    fileprivate init(_ answers: [QuestionAnswer]) {
      questions = answers.count
      accuracy = Share(count: answers.count(where: \.isRight), total: answers.count)
      var frequencies: [String: Int] = [:]
      for answer in answers {
        for truth in Set(answer.truth.map(QuestionAnswer.plain)) {
          frequencies[truth, default: 0] += 1
        }
      }
      // Of equally frequent ones the first in the alphabet, so that the same file gives the same.
      let best = frequencies.max { ($0.value, $1.key) < ($1.value, $0.key) }
      mostFrequent = Share(count: best?.value ?? 0, total: answers.count)
      mostFrequentAnswer = best?.key ?? ""
    }
  }

  let overall: Part
  /// Always the most frequent answer to the kind of question; nil without the questions.
  let mostFrequentByKind: Share?
  /// Empty without the questions.
  let byKind: [String: Part]

  init(_ answers: [QuestionAnswer]) {
    overall = Part(answers)
    let kinds = Dictionary(grouping: answers) { $0.question.map(QuestionKind.name) }
    var byKind: [String: Part] = [:]
    for (kind, answers) in kinds { if let kind { byKind[kind] = Part(answers) } }
    self.byKind = byKind
    mostFrequentByKind =
      byKind.isEmpty
      ? nil
      : byKind.values.reduce(into: Share()) { sum, part in
        sum.count += part.mostFrequent.count
        sum.total += part.mostFrequent.total
      }
  }

  private enum Keys: CodingKey { case mostFrequentByKind, byKind }

  /// The overall numbers beside the others, not in an object of their own.
  func encode(to encoder: any Encoder) throws {
    try overall.encode(to: encoder)
    var container = encoder.container(keyedBy: Keys.self)
    try container.encodeIfPresent(mostFrequentByKind, forKey: .mostFrequentByKind)
    try container.encode(byKind, forKey: .byKind)
  }

  var table: ScoreTable {
    var table = ScoreTable(
      title: "Questions",
      columns: [
        .init("right %"), .init("most frequent %"), .init("which is", alignment: .left),
        .init("questions"),
      ])
    func add(_ name: String, _ part: Part, depth: Int) {
      table.add(
        name, part.accuracy.text, part.mostFrequent.text, part.mostFrequentAnswer,
        "\(part.questions)", depth: depth)
    }
    add("all", overall, depth: 0)
    if let mostFrequentByKind {
      table.add(
        "most frequent of each kind", "", mostFrequentByKind.text, "", "\(overall.questions)")
    }
    for (kind, part) in byKind.sorted(by: { $0.key < $1.key }) { add(kind, part, depth: 1) }
    return table
  }
}

/// The kinds of the demo's questions.
enum QuestionKind {
  private static let beginnings = [
    "what is left of", "what is right of", "what is above", "what is below", "what is on the left",
    "what is on the right", "what is in the middle", "what is at the top", "what is at the bottom",
    "what is in the picture", "which color", "how many", "is there", "is the",
  ]

  /// The words that the question begins with: of a known kind, else the first two.
  static func name(_ question: String) -> String {
    let words = question.lowercased().split { !$0.isLetter && $0 != "'" }
    let plain = words.joined(separator: " ")
    return beginnings.first { plain == $0 || plain.hasPrefix($0 + " ") }
      ?? words.prefix(2).joined(separator: " ")
  }
}
