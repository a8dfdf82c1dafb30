import Foundation
import TestSupport
import Testing

@testable import Datasets

@Suite struct QuestionSetTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["COCO_val2014_000000000042.jpg", "COCO_test2015_000000000007.jpg", "a.png"] {
      try folder.write("", to: name)
    }
  }

  private static let questions = """
    {"data_subtype": "val2014", "questions": [
     {"question_id": 420, "image_id": 42, "question": "What?"},
     {"question_id": 421, "image_id": 42, "question": "Why?"},
     {"question_id": 70, "image_id": 7, "question": "Who?"}]}
    """
  private static let annotations = """
    {"annotations": [
     {"question_id": 70, "answers": [{"answer": "a", "answer_id": 1}, {"answer": ""}]},
     {"question_id": 99, "answers": []},
     {"question_id": 420, "answers": [{"answer": "b"}], "multiple_choice_answer": "b"}]}
    """

  private func set(_ questions: String, _ annotations: String? = nil) throws -> QuestionSet {
    try QuestionSet(
      questions: folder.write(questions, to: "questions.json"),
      annotations: annotations.map { try folder.write($0, to: "annotations.json") },
      imageFolder: folder.url)
  }

  private func message(_ questions: String, _ annotations: String? = nil) throws -> String {
    let error = #expect(throws: DatasetError.self) { try set(questions, annotations) }
    return try #require(error).description
  }

  @Test func twoFiles() throws {
    let set = try set(Self.questions, Self.annotations)
    #expect(set.items.map(\.id) == ["420", "421", "70"])
    #expect(set.items.map(\.question) == ["What?", "Why?", "Who?"])
    #expect(set.items.map(\.answers) == [["b"], [], ["a", ""]])
    #expect(
      set.items.map(\.image.lastPathComponent)
        == [
          "COCO_val2014_000000000042.jpg", "COCO_val2014_000000000042.jpg",
          "COCO_test2015_000000000007.jpg",
        ])
    #expect(set.unanswered == ["421"])
    #expect(set.unusedAnnotationCount == 1)
  }

  @Test func questionsAlone() throws {
    let set = try set(Self.questions)
    #expect(set.items.count == 3 && set.items.allSatisfy { $0.answers.isEmpty })
    #expect(set.unanswered == ["420", "421", "70"])
    #expect(set.unusedAnnotationCount == 0)
  }

  @Test func lists() throws {
    let set = try set(
      """
      [{"image": "val2014/COCO_val2014_000000000042.jpg", "question": "What?", "question_id": 1,
        "answer": ["a", "a", "b"], "dataset": "vqa"},
       {"image": "a.png", "question": "Why?", "question_id": "2", "answer": "c"},
       {"image": "a.png", "question": "Who?", "question_id": 3}]
      """)
    #expect(set.items.map(\.answers) == [["a", "a", "b"], ["c"], []])
    #expect(set.items.map(\.id) == ["1", "2", "3"])
    #expect(set.items[0].image.path == folder.path("COCO_val2014_000000000042.jpg"))
    #expect(set.unanswered == ["3"])
  }

  @Test(arguments: [
    (#"{"questions": []}"#, nil, "no questions"),
    (#"{"question": []}"#, nil, "\"questions\" is missing"),
    (#"{"questions": [{"question_id": 1, "image_id": 43, "question": "x"}]}"#, nil, "looked for"),
    (#"{"questions": [{"question_id": 1, "image_id": 42}]}"#, nil, "questions.question"),
    (#"{"questions": [{"image_id": 42, "question": "x"}]}"#, nil, "questions.question_id"),
    (#"{"questions": [{"question_id": 1, "image_id": 42, "question": ""}]}"#, nil, "is empty"),
    (
      #"[{"question_id": 1, "image": "a.png", "question": "x"}, {"question_id": 1, "#
        + #""image": "a.png", "question": "y"}]"#, nil, "appears twice"
    ),
    (#"[{"question_id": 1, "image": "a.png", "question": "x", "answer": 3}]"#, nil, "\"answer\""),
    (#"[{"question_id": 1, "image": "a.png", "question": "x"}]"#, annotations, "leave"),
    (questions, "[]", "found a list"),
    (questions, #"{"annotations": [{"question_id": 1}]}"#, "annotations.answers"),
    (questions, #"{"annotations": [{"question_id": 1, "answers": [7]}]}"#, "found a number"),
    (
      questions,
      #"{"annotations": [{"question_id": 1, "answers": []}, {"question_id": 1, "answers": []}]}"#,
      "annotations.json, record 2 (line 1), field \"annotations.question_id\": 1 appears twice"
    ),
    (questions, "{", "annotations.json"),
  ])
  func refused(_ questions: String, _ annotations: String?, part: String) throws {
    let message = try message(questions, annotations)
    #expect(message.contains(part), "\(message)")
  }
}
