import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Damaged evaluation files end in items or in a `DatasetError`, soon.
@Suite struct EvaluationFuzzTests {
  private static func samples(_ texts: [String], _ name: String) -> [FuzzRun.Sample] {
    texts.enumerated().map {
      FuzzRun.Sample(name: "\(name) \($0.offset)", bytes: Array($0.element.utf8))
    }
  }

  private static func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["a.jpg", "000000000001.jpg", "COCO_val2014_000000000022.jpg"] {
      try folder.write("", to: name)
    }
    return folder
  }

  private func check(_ report: FuzzRun.Report) {
    #expect(report.problems == [])
    let count = report.accepted + report.refused
    #expect(count < 100 || report.accepted > count / 20 && report.refused > count / 10, "\(report)")
  }

  @Test func captions() throws {
    let folder = try Self.folder()
    let samples = Self.samples(
      [
        #"{"info": {"a": [1, 2.5]}, "images": [{"id": 1, "width": 640}, {"id": 22, "file_name": "a.jpg"}], "annotations": [{"image_id": 22, "id": 3, "caption": "one \u00e9"}, {"image_id": 1, "caption": "two"}]}"#,
        #"{"annotations": [{"caption": "x", "image_id": "a"}], "images": [{"id": "a"}], "type": "captions"}"#,
        #"[{"image": "a.jpg", "caption": ["one", "two"], "image_id": 4}, {"image": "x/a.jpg", "caption": "three"}]"#,
      ], "captions")
    let run = FuzzRun(reader: "captions to evaluate", samples: samples) { $0 is DatasetError }
    let report = run.run { mutator, bytes, other in
      mutator.mutatedJSON(bytes, with: other)
    } read: { bytes in
      let file = try folder.replace("set.json", with: bytes)
      let set = try CaptionEvaluationSet(file: file)
      #expect(!set.items.isEmpty && set.items.allSatisfy { !$0.references.isEmpty })
    }
    check(report)
  }

  @Test func questions() throws {
    let folder = try Self.folder()
    let samples = Self.samples(
      [
        #"{"questions": [{"question_id": 10, "image_id": 1, "question": "What?"}, {"image_id": 22, "question": "Why?", "question_id": 11}], "task_type": "Open-Ended"}"#,
        #"[{"image": "a.jpg", "question": "What?", "question_id": 5, "answer": ["b", "c"]}, {"question_id": "6", "question": "Why?", "image": "d/a.jpg"}]"#,
      ], "questions")
    let run = FuzzRun(reader: "questions", samples: samples) { $0 is DatasetError }
    let report = run.run { mutator, bytes, other in
      mutator.mutatedJSON(bytes, with: other)
    } read: { bytes in
      let file = try folder.replace("questions.json", with: bytes)
      #expect(!(try QuestionSet(questions: file).items.isEmpty))
    }
    check(report)
  }

  @Test func answers() throws {
    let folder = try Self.folder()
    let questions = try folder.write(
      #"{"questions": [{"question_id": 10, "image_id": 1, "question": "What?"}]}"#,
      to: "questions.json")
    let samples = Self.samples(
      [
        #"{"annotations": [{"question_id": 10, "answers": [{"answer": "a", "answer_id": 1}, {"answer": "b"}], "answer_type": "other"}, {"question_id": 11, "answers": []}], "license": {"url": "x"}}"#
      ], "answers")
    let run = FuzzRun(reader: "answers", samples: samples) { $0 is DatasetError }
    let report = run.run { mutator, bytes, other in
      mutator.mutatedJSON(bytes, with: other)
    } read: { bytes in
      let file = try folder.replace("annotations.json", with: bytes)
      let set = try QuestionSet(questions: questions, annotations: file)
      #expect(set.items.count == 1)
    }
    check(report)
  }
}
