import TestSupport
import Testing

@testable import demo_report

/// One number over several runs.
@Suite struct SpreadTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func files(_ texts: [String]) throws -> [String] {
    try texts.enumerated().map { try folder.write($1, to: "\($0).jsonl").path }
  }

  @Test func takesTheLastObjectThatHasTheNumber() throws {
    let metrics = """
      {"step":1,"kind":"train","itc":3}
      {"step":1,"kind":"validation","cosine.imageToText.r1":10,"itc":2}
      {"step":2,"kind":"validation","cosine.imageToText.r1":20.5,"itc":1}
      {"step":2,"kind":"captions","captions":[]}
      """
    let spread = try Spread(
      of: "cosine.imageToText.r1",
      in: files([metrics, #"{"cosine":{"imageToText":{"r1":22}}}"#]))
    #expect(spread.values == [20.5, 22])
    #expect(spread.text(digits: 1) == "21.2 (20.5–22.0)")
    #expect(spread.text(digits: 0) == "21 (20–22)")
  }

  @Test func aNumberThatNoFileHasIsADash() throws {
    let spread = try Spread(
      of: "a.b", in: files([#"{"a":1}"#, #"{"a":{"b":null}}"#, #"{"a":"b"}"#]))
    #expect(spread.text(digits: 1) == "–")
  }

  @Test func aNumberThatOneFileLacksIsNamed() throws {
    let paths = try files([#"{"a":1}"#, #"{"b":1}"#])
    #expect {
      try Spread(of: "a", in: paths)
    } throws: { error in
      "\(error)".hasSuffix("1.jsonl, a: is missing, though other files have it")
    }
  }
}
