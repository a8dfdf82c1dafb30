import TestSupport
import Testing

@testable import demo_report

struct CaptionScoresTests {
  /// Truth and what was said of it.
  private static let captions = [
    ("a cat left of a big dog on red", "a big dog right of a cat on red"),  // right
    ("a cat left of a big dog on red", "a dog left of a cat on blue"),  // swapped
    ("a cat above a dog on red", "a cat left of a dog on red"),  // turned
    ("a cat above a dog on red", "a cat above a fox on red"),  // a fox made up
    (
      "a cat, a dog and a key from left to right on green",
      "a key , a dog and a cat from right to left on green"
    ),  // right
    (
      "a cat, a dog and a key from left to right on green",
      "a cat, a key and a dog from left to right on green"
    ),  // wrong order
    ("three buses on white", "two buses on white"),  // wrong number
    ("three buses on white", "there are three buses on gray"),  // right but for the colour
    ("a small key on blue", "there is a key on blue"),  // right but for the size
    ("a small key on blue", "a cat cat a a key on"),  // no form; two cats made up
  ]

  static func file(in folder: TemporaryFolder, _ captions: [(String, String)] = captions) throws
    -> String
  {
    let lines = captions.enumerated().map { number, caption in
      """
      {"id":"\(number)","image":"images/\(number).webp","text":"\(caption.1)","truth":["\(caption.0)"]}

      """
    }
    return try folder.write(lines.joined(), to: "captions.jsonl").path
  }

  @Test func eachShareIsOfItsOwn() throws {
    let folder = try TemporaryFolder()
    let scores = try JudgedCaptions(file: Self.file(in: folder)).scores
    #expect(scores.captions == 10)
    #expect(scores.right == Share(count: 4, total: 10))
    #expect(
      scores.rightByKind == [
        "pair": Share(count: 1, total: 4), "row": Share(count: 1, total: 2),
        "count": Share(count: 1, total: 2), "one": Share(count: 1, total: 2),
      ])
    #expect(scores.objectsRight == Share(count: 8, total: 10))
    #expect(scores.colourRight == Share(count: 7, total: 10))
    #expect(scores.sizesRight == Share(count: 2, total: 4))
    #expect(scores.hallucinatedObjects == Share(count: 3, total: 20))
    #expect(scores.captionsWithHallucination == Share(count: 2, total: 10))
    #expect(scores.swappedRelations == Share(count: 1, total: 3))
    #expect(scores.turnedRelations == Share(count: 1, total: 3))
    #expect(scores.wrongNumbers == Share(count: 1, total: 2))
    #expect(scores.unparsed == Share(count: 1, total: 10))
  }

  @Test func remarksNameTheFirstThingThatIsWrong() throws {
    let folder = try TemporaryFolder()
    let items = try JudgedCaptions(file: Self.file(in: folder)).items
    #expect(
      items.map(\.judgement.remark) == [
        nil, "swapped", "wrong relation", "names what is not there", nil, "wrong order",
        "wrong number", "wrong colour", "wrong size", "no known form",
      ])
  }

  @Test func oneThingCountsAsOne() throws {
    let truth = try #require(SceneCaption("two dogs on red"))
    let judgement = CaptionJudgement("a dog on red", truth: truth, vocabulary: [])
    #expect(judgement.hasRightObjects)
    #expect(judgement.hasWrongNumber)
    #expect(!judgement.isRight)
  }

  @Test func keysAreThereWithoutNumbersToo() throws {
    let folder = try TemporaryFolder()
    let file = try Self.file(in: folder, [("three buses on white", "nothing")])
    let text = try CaptionsCommand.parse([file, "--json"]).output.text(
      of: try JudgedCaptions(file: file).scores, as: ScoreTable(title: "", columns: []))
    #expect(
      text == """
        {"captions":1,"captionsWithHallucination":0,"colourRight":0,"hallucinatedObjects":null,\
        "objectsRight":0,"right":0,"rightByKind":{"count":0},"sizesRight":null,\
        "swappedRelations":null,"turnedRelations":null,"unparsed":100,"wrongNumbers":null}
        """)
  }

  @Test func theTableLinesUp() throws {
    let folder = try TemporaryFolder()
    let lines = try JudgedCaptions(file: Self.file(in: folder)).scores.table.text
      .split(separator: "\n")
    #expect(lines[0] == "Captions                           %  of")
    #expect(lines[1] == "right                           40.0  10 captions")
    #expect(lines[2] == "  pair                          25.0  4")
    #expect(lines[10] == "captions with one (CHAIR_s)     20.0  10")
  }
}
