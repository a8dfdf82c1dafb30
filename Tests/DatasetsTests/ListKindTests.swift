import Foundation
import TestSupport
import Testing

@testable import Datasets

/// Lists as people bring them: of other layouts, of other kinds, with what is no part of a text.
@Suite struct ListKindTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in ["sub", "p"] {
      try FileManager.default.createDirectory(
        atPath: folder.path(name), withIntermediateDirectories: true)
    }
  }

  private func captions(_ text: String, _ name: String) throws -> [[String]] {
    let file = try folder.write(text, to: name)
    let set = try CaptionDataset(path: file.path)
    return (0..<set.imageCount).map { set.record(at: $0).captions }
  }

  private func refusal(_ bytes: [UInt8], _ name: String) throws -> String {
    let url = try folder.replace(name, with: bytes)
    let error = #expect(throws: DatasetError.self) { try CaptionDataset(path: url.path) }
    return try #require(error).description
  }

  @Test func layoutOfCOCO() throws {
    let text = """
      {"info": {"x": NaN}, "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"},
       {"id": 3, "file_name": "c.jpg"}], "annotations": [{"image_id": 2, "caption": "two"},
       {"image_id": 1, "caption": "one"}, {"image_id": 2, "caption": "zwei"}]}
      """
    let file = try folder.write(text, to: "captions.json")
    let set = try CaptionDataset(path: file.path)
    #expect((0..<set.imageCount).map { set.record(at: $0).listedPath } == ["a.jpg", "b.jpg"])
    #expect(
      (0..<set.imageCount).map { set.record(at: $0).captions } == [["one"], ["two", "zwei"]])
    #expect(set.findings == [SourceFinding(.withoutText, count: 1, examples: ["c.jpg"])])
  }

  @Test func layoutOfKarpathy() throws {
    func image(_ name: String, _ split: String) -> String {
      #"{"filepath": "val2014", "filename": "\#(name)", "split": "\#(split)", "cocoid": "\#(name)","#
        + #" "sentences": [{"raw": "\#(name) one", "tokens": []}, {"raw": "two"}]}"#
    }
    let images = [
      image("a", "train"), image("b", "restval"), image("c", "val"), image("d", "test"),
    ]
    let file = try folder.write(
      #"{"images": [\#(images.joined(separator: ","))], "dataset": "coco"}"#, to: "d.json")
    func listed(_ location: Datasets.SourceLocation) throws -> [String] {
      let set = try location.open()
      return try (0..<set.imageCount).map { try set.record(at: $0).listedPath }
    }
    // Each use has its own splits, and the others are named.
    let training = Datasets.SourceLocation(path: file.path)
    #expect(try listed(training) == ["val2014/a", "val2014/b"])
    #expect(
      try training.open().findings == [
        SourceFinding(.otherSplits, count: 2, examples: ["val2014/c (val)", "val2014/d (test)"])
      ])
    #expect(try listed(Datasets.SourceLocation(path: file.path, isHeldOut: true)) == ["val2014/c"])
    for name in ["a", "b", "c", "d"] { try folder.write("", to: name) }
    let evaluated = try CaptionEvaluationSet(file: file, imageFolder: folder.url)
    #expect(evaluated.items.map(\.references) == [["d one", "two"]])
    // Without splits of that use all are taken.
    let only = try folder.write(#"{"images": [\#(image("x", "test"))]}"#, to: "e.json")
    #expect(try listed(Datasets.SourceLocation(path: only.path)) == ["val2014/x"])
  }

  @Test(arguments: [
    ("captions.txt", "image,caption\n0.jpg,a red car\n"),
    ("list", "filepath\ttitle\n0.jpg\ta red car\n"),
    ("results.csv", "image_name| comment_number| comment\n0.jpg| 0| a red car\n"),
    ("list.csv", "image;caption\n0.jpg;a red car\n"),
    ("metadata.jsonl", #"{"file_name": "0.jpg", "text": "a red car"}"#),
    ("list.json", "\u{FEFF}[{\"image\": \"0.jpg\", \"caption\": \"\u{FEFF}a red car\u{0}\"}]"),
    ("list.ndjson", "{\"image\": \"0.jpg\", \"caption\": \"a\u{2028}red\u{85}car\"}"),
  ])
  func layoutsAreRead(name: String, text: String) throws {
    #expect(
      try captions(text.replacingOccurrences(of: "\0", with: "\\u0000"), name) == [["a red car"]])
  }

  @Test(
    arguments: [
      ("pairs.jsonl.gz", [0x1F, 0x8B, 8, 0], "gunzip"),
      ("pairs.parquet", Array("PAR1\0".utf8), "Parquet"),
      ("pydict.jsonl", Array("{'image': 'a.jpg', 'caption': 'b'}".utf8), "json.dumps"),
      ("u16.csv", [0xFF, 0xFE, 0x69, 0], "UTF-16"), ("page.json", Array("<html>".utf8), "HTML"),
      ("lfs.csv", Array("version https://git-lfs.github.com/spec/v1\n".utf8), "git lfs pull"),
      ("results.token", Array("0.jpg#0\ta red car\n".utf8), "0.jpg#0"),
      ("trailing.json", Array(#"[{"image": "a", "caption": "b"},]"#.utf8), "take the comma away"),
      ("list.jsonl", Array(#"{"url": "a", "caption": "b"}"#.utf8), "url"),
    ] as [(String, [UInt8], String)])
  func othersAreNamed(name: String, bytes: [UInt8], words: String) throws {
    let message = try refusal(bytes, name)
    #expect(message.contains(words), "\(message)")
  }

  @Test func whatIsNotFoundIsNamed() throws {
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("link.json"), withDestinationPath: "nowhere")
    let error = #expect(throws: DatasetError.self) {
      try CaptionDataset(path: folder.path("link.json"))
    }
    #expect(error?.description.contains("a link to a file that is not there") == true)
    try folder.write("x", to: "sub/a.gif")
    try folder.write("x", to: "sub/b.jpg")
    let empty = #expect(throws: DatasetError.self) { try CaptionDataset(path: folder.path("sub")) }
    for part in ["a.gif", "b.jpg", "found none", "no pairs"] {
      #expect(empty?.description.contains(part) == true, "\(String(describing: empty))")
    }
  }

  @Test func captionFilesOfFolders() throws {
    try folder.write("", to: "p/a.jpg")
    try folder.write("\u{FEFF}one\r\ntwo\u{85}\n\u{0}\nthree\u{2028}\rfour", to: "p/a.txt")
    for (name, bytes) in [
      ("b", [0xFF, 0xFE, 0x61, 0] as [UInt8]), ("c", [0x61, 0xFF]),
      ("d", Array("version https://git-lfs.github.com/spec/v1\n".utf8)),
    ] {
      try folder.write("", to: "p/\(name).jpg")
      try Data(bytes).write(to: URL(fileURLWithPath: folder.path("p/\(name).txt")))
    }
    let set = try CaptionDataset(path: folder.path("p"))
    #expect(set.imageCount == 1)
    #expect(set.record(at: 0).captions == ["one", "two", "three", "four"])
    let silent = try #require(set.findings.first { $0.kind == .withoutText })
    #expect(silent.count == 3)
    for (example, words) in zip(silent.examples, ["UTF-16", "not valid UTF-8", "git lfs pull"]) {
      #expect(example.contains(words), "\(example)")
    }
  }

  @Test func evaluationFilesTakeEveryLayout() throws {
    for name in ["a.jpg", "b.jpg"] { try folder.write("", to: name) }
    let texts = [
      ("q.jsonl", #"{"image": "a.jpg", "question": "Why?", "answer": ["x", "y"]}"#),
      ("q.csv", "image,question,answers\na.jpg,Why?,\"[\"\"x\"\", \"\"y\"\"]\"\n"),
      ("q.tsv", "image\tquestion\tanswers\na.jpg\tWhy?\t[\"x\", \"y\"]\n"),
      ("q.json", #"[{"file_name": "a.jpg", "question": "Why?", "answer": ["x", "y"]}]"#),
    ]
    for (name, text) in texts {
      let set = try QuestionSet(questions: folder.write(text, to: name))
      #expect(
        set.items.map(\.question) == ["Why?"] && set.items.map(\.answers) == [["x", "y"]], "\(name)"
      )
      #expect(set.items.map(\.id) == ["1"])
    }
    for (name, text) in [
      ("c.csv", "image,caption\na.jpg,one\nb.jpg,two\na.jpg,three\n"),
      (
        "c.jsonl",
        "{\"image\":\"a.jpg\",\"caption\":[\"one\",\"three\"]}\n{\"image\":\"b.jpg\",\"caption\":\"two\"}"
      ),
    ] {
      let set = try CaptionEvaluationSet(file: folder.write(text, to: name))
      #expect(set.items.map(\.references) == [["one", "three"], ["two"]])
    }
  }

  @Test func captionsOfNothingAreCounted() throws {
    var tally = CaptionTally()
    tally.add("!!!", of: "a.jpg", CaptionTokens(count: 2, problem: .empty))
    tally.add("x", of: "b.jpg", CaptionTokens(count: 3, problem: .unknown))
    tally.add("long", of: "c.jpg", CaptionTokens(count: 99, problem: .cut))
    tally.add("fine", of: "d.jpg", CaptionTokens(count: 3, problem: nil))
    #expect(tally.findings.map(\.kind) == [.withoutWords, .unknownWords, .cutCaptions])
    #expect(
      tally.findings.map(\.examples) == [["a.jpg: \"!!!\""], ["b.jpg: \"x\""], ["c.jpg: \"long\""]])
  }
}
