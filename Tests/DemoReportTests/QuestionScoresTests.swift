import TestSupport
import Testing

@testable import demo_report

struct QuestionScoresTests {
  /// Question, truth and what was said.
  private static let asked = [
    ("what is left of the cat?", "dog", "A dog"), ("what is left of the key?", "dog", "cat"),
    ("which color is the background?", "red", "red"),
    ("which color is the background?", "blue", "red"), ("is there a cat?", "yes", " Yes "),
    ("how many dogs are there?", "two", "two"), ("is there an owl?", "no", "yes"),
    ("is the cat left of the dog?", "yes", "yes"),
  ]

  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let questions = Self.asked.enumerated().map {
      """
      {"image": "images/0.webp", "question_id": "q\($0)", "question": "\($1.0)", "answer": ["\($1.1)"]}
      """
    }
    let answers = Self.asked.enumerated().map {
      """
      {"id":"q\($0)","image":"/d/images/0.webp","text":"\($1.2)","truth":["\($1.1)"]}
      """
    }
    try folder.write("[\n" + questions.joined(separator: ",\n") + "\n]\n", to: "questions.json")
    try folder.write(answers.joined(separator: "\n"), to: "answers.jsonl")
  }

  private func scores(questions: String? = nil) throws -> QuestionScores {
    QuestionScores(
      try QuestionAnswer.read(
        folder.path("answers.jsonl"), questions: questions.map(folder.path)))
  }

  @Test func besideTheMostFrequentAnswer() throws {
    let scores = try scores()
    #expect(scores.overall.questions == 8)
    #expect(scores.overall.accuracy == Share(count: 5, total: 8))
    #expect(scores.overall.mostFrequent == Share(count: 2, total: 8))
    #expect(scores.overall.mostFrequentAnswer == "dog")
    #expect(scores.byKind.isEmpty)
    #expect(scores.mostFrequentByKind == nil)
  }

  @Test func kindByKind() throws {
    let scores = try scores(questions: "questions.json")
    #expect(scores.mostFrequentByKind == Share(count: 6, total: 8))
    let parts = scores.byKind.mapValues {
      "\($0.accuracy.text) \($0.mostFrequent.text) \($0.mostFrequentAnswer) \($0.questions)"
    }
    #expect(
      parts == [
        "what is left of": "50.0 100.0 dog 2", "which color": "50.0 50.0 blue 2",
        "is there": "50.0 50.0 no 2", "how many": "100.0 100.0 two 1",
        "is the": "100.0 100.0 yes 1",
      ])
  }

  @Test func oneObjectForPrograms() throws {
    let text = try QuestionsCommand.parse(["x", "--json"]).output.text(
      of: try scores(), as: ScoreTable(title: "", columns: []))
    #expect(
      text == """
        {"accuracy":62.5,"byKind":{},"mostFrequent":25,"mostFrequentAnswer":"dog","questions":8}
        """)
  }

  @Test(arguments: [
    ("what is on the left?", "what is on the left"),
    ("What is  right of the dog?", "what is right of"),
    ("what is in the picture?", "what is in the picture"),
    ("is the cat above the dog?", "is the"), ("is there a dog?", "is there"),
    ("how many dogs are there?", "how many"), ("where are they?", "where are"), ("why?", "why"),
    ("", ""),
  ])
  func kindsAreFirstWords(_ question: String, _ kind: String) {
    #expect(QuestionKind.name(question) == kind)
  }

  @Test(arguments: [
    ("The Dog", "dog"), (" an owl\n", "owl"), ("a", "a"), ("a  big dog", "big dog"),
    ("anchor", "anchor"), ("", ""),
  ])
  func answersAreComparedPlainly(_ answer: String, _ plain: String) {
    #expect(QuestionAnswer.plain(answer) == plain)
  }

  @Test func answersToOtherQuestionsAreRefused() throws {
    try folder.write(
      #"[{"image": "i", "question_id": "other", "question": "why?"}]"#, to: "questions.json")
    let questions = folder.path("questions.json")
    #expect(
      throws: InputError(
        file: folder.path("answers.jsonl"), place: .line(1), field: "id",
        problem: "q0 is no question of \(questions)")
    ) { try scores(questions: "questions.json") }
  }
}
