import Foundation
import TestSupport
import Testing

@testable import demo_report

/// Damaged answers end in scores or in an `InputError`, soon.
@Suite struct AnswersFuzzTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func check(
    _ reader: String, _ texts: [String], read: (_ file: String) throws -> Void
  ) {
    let samples = texts.enumerated().map {
      FuzzRun.Sample(name: "\(reader) \($0.offset)", bytes: Array($0.element.utf8))
    }
    let run = FuzzRun(reader: reader, samples: samples) { $0 is InputError }
    let report = run.run { mutator, bytes, other in
      mutator.mutatedJSON(bytes, with: other)
    } read: { bytes in
      try read(try folder.replace("file", with: bytes).path)
    }
    #expect(report.problems == [])
    let count = report.accepted + report.refused
    #expect(count < 100 || report.accepted > count / 50 && report.refused > count / 10, "\(report)")
  }

  @Test func captions() throws {
    let texts = [
      """
      {"id":"0","image":"0.webp","text":"a cat left of a dog on red","truth":["a dog right of a cat on red"]}
      {"id":"1","image":"1.webp","text":"two d\\u00f6gs, on","truth":["two dogs on red"]}
      """,
      #"[{"id":"0","image":"0.webp","text":"a , b","truth":["a key, a dog and a fox from left to right on red"]}]"#,
    ]
    check("captions of the demo", texts) { file in
      let captions = try JudgedCaptions(file: file)
      #expect(captions.scores.right.total == captions.items.count)
    }
  }

  @Test func rankings() throws {
    let list = try folder.write(GroupScoresTests.list, to: "list.jsonl").path
    check("rankings of the demo", [GroupScoresTests.answers]) { file in
      let groups = try HardGroup.groups(Rankings(file: file), list: list, size: 2)
      #expect(GroupScores(groups, groupSize: 2).cosine.imageToText.total == 4)
    }
  }

  @Test func lists() throws {
    let answers = try folder.write(GroupScoresTests.answers, to: "hard.jsonl").path
    check("lists of the demo", [GroupScoresTests.list]) { file in
      _ = try HardGroup.groups(Rankings(file: answers), list: file, size: 2)
    }
  }

  @Test func questions() throws {
    let answers = try folder.write(
      #"{"id":"q0","image":"0.webp","text":"cat","truth":["dog"]}"#, to: "answers.jsonl"
    ).path
    let texts = [
      #"[{"image":"0.webp","question_id":"q0","question":"what is on the left?","answer":["dog"]}]"#,
      #"{"image":"0.webp","question_id":"q0","question":"is there a dog?"}"#,
    ]
    check("questions of the demo", texts) { file in
      let scores = QuestionScores(try QuestionAnswer.read(answers, questions: file))
      #expect(scores.overall.accuracy == Share(count: 0, total: 1))
    }
    let lines = #"{"id":"q0","image":"0.webp","text":"a cat","truth":["dog","Cat "]}"#
    check("answers of the demo", [lines, lines + "\n" + lines]) { file in
      let scores = QuestionScores(try QuestionAnswer.read(file, questions: nil))
      #expect(scores.overall.questions > 0)
    }
  }
}
