import Foundation

/// An answer beside those of people, and its question where that is known.
struct QuestionAnswer {
  let image: String
  let question: String?
  let text: String
  let truth: [String]

  /// Equal to one of people's answers, but for capitals, blanks and an article.
  var isRight: Bool { truth.contains { Self.plain($0) == Self.plain(text) } }

  static func plain(_ answer: String) -> String {
    let words = answer.lowercased().split(whereSeparator: \.isWhitespace)
    let articles: Set<Substring> = ["a", "an", "the"]
    let isArticle = words.count > 1 && words.first.map(articles.contains) ?? false
    return (isArticle ? words.dropFirst() : words[...]).joined(separator: " ")
  }

  /// - Parameter questions: The file of questions that were asked; nil if it is not known.
  /// - Throws: ``InputError``, also for an answer to no question of the file.
  static func read(_ file: String, questions: String?) throws -> [QuestionAnswer] {
    let asked = try questions.map { try InputFile(path: $0).records(ListedQuestion.self) }
    let byId = asked.map {
      Dictionary($0.map { ($0.record.id, $0.record.question) }) { first, _ in first }
    }
    return try InputFile(path: file).records(AnswerLine.self).map { answer in
      guard !answer.record.truth.isEmpty else {
        throw answer.error(field: "truth", "expected an answer, found none")
      }
      let question = byId?[answer.record.id]
      if let questions, question == nil {
        throw answer.error(field: "id", "\(answer.record.id) is no question of \(questions)")
      }
      return QuestionAnswer(
        image: answer.record.image, question: question, text: answer.record.text,
        truth: answer.record.truth)
    }
  }
}
