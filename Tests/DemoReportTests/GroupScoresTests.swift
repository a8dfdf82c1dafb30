import TestSupport
import Testing

@testable import demo_report

struct GroupScoresTests {
  /// Two groups of two; the lines are not in the list's order, and name the images otherwise.
  static let answers = """
    {"id":"/d/images/p3.webp","image":"/d/images/p3.webp","ranked":[{"text":"t3","cosine":0.9,"score":5},{"text":"t2","cosine":0.8,"score":4}],"truth":["t3"]}
    {"id":"/d/images/p0.webp","image":"/d/images/p0.webp","ranked":[{"text":"t0","cosine":0.5,"score":3},{"text":"t1","cosine":0.6,"score":1}],"truth":["t0"]}
    {"id":"/d/images/p1.webp","image":"/d/images/p1.webp","ranked":[{"text":"t3","cosine":0.8,"score":9},{"text":"t1","cosine":0.7,"score":2}],"truth":["t1"]}
    {"id":"/d/images/p2.webp","image":"/d/images/p2.webp","ranked":[{"text":"t2","cosine":0.9,"score":5},{"text":"t3","cosine":0.8,"score":4}],"truth":["t2"]}
    {"id":"t0","ranked":[{"image":"/d/images/p0.webp","cosine":0.5,"score":3},{"image":"/d/images/p1.webp","cosine":0.4,"score":2}],"text":"t0"}
    {"id":"t1","ranked":[{"image":"/d/images/p1.webp","cosine":0.7,"score":2},{"image":"/d/images/p0.webp","cosine":0.6,"score":2}],"text":"t1"}
    {"id":"t2","ranked":[{"image":"/d/images/p2.webp","cosine":0.9,"score":5},{"image":"/d/images/p3.webp","cosine":0.8,"score":4}],"text":"t2"}
    {"id":"t3","ranked":[{"image":"/d/images/p3.webp","cosine":0.9,"score":5}],"text":"t3"}

    """
  static let list = """
    {"image": "images/p0.webp", "caption": ["t0"]}
    {"image": "images/p1.webp", "caption": ["t1"]}
    {"image": "images/p2.webp", "caption": ["t2"]}
    {"image": "images/p3.webp", "caption": ["t3"]}

    """

  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.write(Self.answers, to: "hard.jsonl")
    try folder.write(Self.list, to: "list.jsonl")
  }

  private func groups(_ answers: String? = nil, size: Int = 2) throws -> [HardGroup] {
    if let answers { try folder.write(answers, to: "hard.jsonl") }
    return try HardGroup.groups(
      Rankings(file: folder.path("hard.jsonl")), list: folder.path("list.jsonl"), size: size)
  }

  @Test func onlyTheGroupCounts() throws {
    let scores = GroupScores(try groups(), groupSize: 2)
    #expect(scores.groups == 2)
    #expect(scores.chance == 50)
    // p0 is nearer to t1; p1 nearer to t3, which is not of its group.
    #expect(scores.cosine.imageToText == Share(count: 3, total: 4))
    #expect(scores.cosine.textToImage == Share(count: 4, total: 4))
    #expect(scores.cosine.group == Share(count: 1, total: 2))
    // t1 has both images at 2.
    #expect(scores.reranked?.imageToText == Share(count: 4, total: 4))
    #expect(scores.reranked?.textToImage == Share(count: 3, total: 4))
    #expect(scores.reranked?.group == Share(count: 1, total: 2))
  }

  @Test func chosenIsWhatStandsAlone() throws {
    let first = try groups()[0]
    #expect(first.members.map(\.text) == ["t0", "t1"])
    #expect(first.chosenTexts(by: .cosine) == [1, 1])
    #expect(first.chosenImages(by: .score) == [0, nil])
  }

  @Test func whatIsInNoRankingComesLast() throws {
    let answers = Self.answers.replacingOccurrences(
      of: "{\"image\":\"/d/images/p3.webp\",\"cosine\":0.9,\"score\":5}],\"text\":\"t3\"",
      with: "{\"image\":\"/d/images/p0.webp\",\"cosine\":0.9,\"score\":5}],\"text\":\"t3\"")
    let scores = GroupScores(try groups(answers), groupSize: 2)
    #expect(scores.cosine.textToImage == Share(count: 3, total: 4))
    #expect(scores.cosine.group == Share(count: 0, total: 2))
  }

  @Test func withoutScoresNothingWasRankedAgain() throws {
    let answers = Self.answers.replacing(#/,"score":\d/#, with: "")
    let scores = GroupScores(try groups(answers), groupSize: 2)
    #expect(scores.cosine.imageToText == Share(count: 3, total: 4))
    #expect(scores.reranked == nil)
    #expect(!scores.table.text.contains("re-ranked"))
  }

  @Test func oneObjectForPrograms() throws {
    let scores = GroupScores(try groups(), groupSize: 2)
    let text = try HardCommand.parse(["x", "--data", "y", "--json"]).output.text(
      of: scores, as: scores.table)
    #expect(
      text == """
        {"chance":50,"cosine":{"group":50,"imageToText":75,"textToImage":100},"groupSize":2,"groups":2,\
        "reranked":{"group":50,"imageToText":100,"textToImage":75}}
        """)
  }

  @Test func listsMustDivideIntoGroups() throws {
    let file = folder.path("list.jsonl")
    #expect(
      throws: InputError(file: file, problem: "expected groups of 3 images, found 4 images")
    ) { try groups(size: 3) }
    #expect(throws: (any Error).self) {
      try HardCommand.parse(["x", "--data", "y", "--group-size", "1"])
    }
  }

  @Test func eachListedImageNeedsAnAnswer() throws {
    let hard = folder.path("hard.jsonl")
    let answers = Self.answers.split(separator: "\n").dropFirst().joined(separator: "\n")
    #expect(
      throws: InputError(
        file: folder.path("list.jsonl"), place: .line(4), field: "image",
        problem: "images/p3.webp has no answer in \(hard)")
    ) { try groups(answers) }
    let fewer = Self.answers.split(separator: "\n").dropLast().joined(separator: "\n")
    #expect(
      throws: InputError(file: hard, field: "text", problem: "there is no line for \"t3\"")
    ) { try groups(fewer) }
  }
}
