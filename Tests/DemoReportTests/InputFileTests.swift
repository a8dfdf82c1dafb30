import TestSupport
import Testing

@testable import demo_report

/// Errors name the file, the place in it and the field.
struct InputFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// What is wrong with a file, without the folder's path.
  private func problem<Record: Decodable>(_ text: String, _ type: Record.Type) throws -> String? {
    try folder.write(text, to: "f")
    do {
      _ = try InputFile(path: folder.path("f")).records(Record.self)
      return nil
    } catch let error as InputError {
      return error.description.replacingOccurrences(of: folder.path("f"), with: "f")
    }
  }

  private static let sound = #"{"id":"0","image":"0.webp","text":"a","truth":["b"]}"#

  @Test func missingFilesAndFolders() {
    let path = folder.path("none")
    #expect(throws: InputError(file: path, problem: "there is no such file")) {
      try JudgedCaptions(file: path)
    }
    let own = folder.url.path
    #expect(throws: InputError(file: own, problem: "expected a file, found a folder")) {
      try JudgedCaptions(file: own)
    }
  }

  @Test(arguments: [
    (#"{"id":"0","#, "f, line 2: is not JSON"),
    (#"{"id":"0","image":"0.webp","text":"a"}"#, "f, line 2, truth: is missing"),
    (
      #"{"id":"0","image":"0.webp","text":7,"truth":["b"]}"#,
      "f, line 2, text: expected a text, found something else"
    ),
    (
      #"{"id":"0","image":"0.webp","text":"a","truth":["b",null]}"#,
      "f, line 2, truth[1]: expected a text, found null"
    ),
    (
      #"{"id":"0","image":"0.webp","text":"a","truth":"b"}"#,
      "f, line 2, truth: expected a list, found something else"
    ),
    ("7", "f, line 2: expected an object, found something else"),
  ])
  func brokenAnswers(_ line: String, _ expected: String) throws {
    #expect(try problem(Self.sound + "\n" + line, AnswerLine.self) == expected)
  }

  @Test(arguments: [
    (
      #"{"image":"i","ranked":[{"text":"a","cosine":1},{"text":"b"}],"truth":["a"]}"#,
      "f, line 1, ranked[1].cosine: is missing"
    ),
    (
      #"{"image":"i","ranked":[{"text":"a","cosine":"1"}],"truth":["a"]}"#,
      "f, line 1, ranked[0].cosine: expected a number, found something else"
    ),
    (#"{"image":"i","ranked":[],"truth":[]}"#, "f, line 1, truth: expected a caption, found none"),
    (#"{"ranked":[]}"#, "f, line 1, text: is missing"),
    (sound, "f, line 1, ranked: is missing"),
  ])
  func brokenRankings(_ line: String, _ expected: String) throws {
    #expect(try problem(line, RankingLine.self) == expected)
  }

  @Test func listsCountEntries() throws {
    let text = #"[{"image":"i","question_id":"0","question":"q"},{"image":"i","question_id":"1"}]"#
    #expect(try problem(text, ListedQuestion.self) == "f, entry 2, question: is missing")
    #expect(try problem("[{", ListedQuestion.self) == "f: is not JSON")
  }

  @Test(arguments: ["", "\n \n", "[]"])
  func emptyFiles(_ text: String) throws {
    #expect(try problem(text, AnswerLine.self) == "f: holds no records")
  }

  @Test func blankLinesAndCarriageReturnsAreNoRecords() throws {
    #expect(try problem("\r\n" + Self.sound + "\r\n\n", AnswerLine.self) == nil)
    #expect(try problem("\r\n" + Self.sound + "\r\n{", AnswerLine.self) == "f, line 3: is not JSON")
  }

  @Test func truthMustBeACaptionOfTheDemo() throws {
    try folder.write(Self.sound, to: "f")
    let file = folder.path("f")
    #expect(
      throws: InputError(
        file: file, place: .line(1), field: "truth",
        problem: "expected a caption of the demo, found \"b\"")
    ) { try JudgedCaptions(file: file) }
  }

  @Test func nothingSteersTheTerminal() {
    let error = InputError(file: "a\u{1B}[31m", problem: "x\ny")
    #expect(error.description == "a\\u{1b}[31m: x\\u{a}y")
  }

  @Test func imagesAreFoundByTheEndsOfTheirPaths() {
    var index = ImageIndex<Int>()
    index.add(1, at: "/d/train/0.webp")
    index.add(2, at: "/d/test/0.webp")
    index.add(3, at: "/d/test/0.webp")
    #expect(index.values(at: "test/0.webp") == [2, 3])
    #expect(index.values(at: "/e/train/0.webp") == [1])
    #expect(index.values(at: "0.webp") == [1, 2, 3])
    #expect(index.values(at: "test/1.webp") == [])
  }
}
