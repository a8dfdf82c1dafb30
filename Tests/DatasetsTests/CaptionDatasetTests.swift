import Files
import Foundation
import Testing

@testable import Datasets

@Suite struct CaptionDatasetTests {
  private func dataset(
    _ text: String, name: String = "list.json", captions: CaptionPolicy = .draw
  ) throws -> CaptionDataset {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent(name)
      try text.write(to: file, atomically: true, encoding: .utf8)
      return try CaptionDataset(file, captions: captions)
    }
  }

  private func failure(_ text: String) -> DatasetError? {
    #expect(throws: DatasetError.self) { try dataset(text) }
  }

  @Test(arguments: ["list.json", "list.jsonl", "list"])
  func listsAndLinesSayTheSame(name: String) throws {
    let records = [
      #"{"image": "a.jpg", "caption": "a \"red\" caf\u00e9 \ud83d\ude00", "image_id": "x"}"#,
      #"{"image_id": 7, "caption": ["two", "three"], "image": "b/b.png", "more": [{"a": 1.5e3}]}"#,
      #"{"captions": ["four"], "image": "/absolute/c.jpg"}"#,
      #"{"image": "a.jpg", "caption": "five", "image_id": "x"}"#,
      #"{"image": "d.jpg", "caption": "six", "image_id": "7"}"#,
    ]
    let text =
      name == "list.json"
      ? "[\n" + records.joined(separator: ",\n") + "]\n" : records.joined(separator: "\n\n")
    let set = try dataset(text, name: name)
    #expect(set.imageCount == 4 && set.count == 4 && set.pairCount == 6)
    #expect((0..<4).map { set.record(at: $0).imageId } == [0, 1, 2, 1])
    #expect(set.record(at: 0).captions == ["a \"red\" café 😀", "five"])
    #expect(set.record(at: 1).captions == ["two", "three"])
    #expect(set.record(at: 1).imagePath == set.imageFolder + "/b/b.png")
    #expect(set.record(at: 2).imagePath == "/absolute/c.jpg")
    let pairs = try dataset(text, name: name, captions: .all)
    #expect(pairs.count == 6)
    #expect(
      (0..<6).map { pairs.sample(at: $0, seed: 1, epoch: 0).caption }
        == ["a \"red\" café 😀", "five", "two", "three", "four", "six"])
    #expect((0..<6).map { pairs.sample(at: $0, seed: 1, epoch: 0).imageId } == [0, 0, 1, 1, 2, 1])
  }

  @Test func oneCaptionIsDrawnPerVisit() throws {
    let set = try dataset(#"[{"image": "a", "caption": ["0", "1", "2"]}]"#)
    let drawn = (0..<3000).map { set.sample(at: 0, seed: 5, epoch: $0).caption }
    #expect(drawn == (0..<3000).map { set.sample(at: 0, seed: 5, epoch: $0).caption })
    for caption in ["0", "1", "2"] {
      // Four standard deviations of a count of 3000 draws with probability 1/3.
      #expect(abs(drawn.count { $0 == caption } - 1000) < 104)
    }
    #expect(drawn != (0..<3000).map { set.sample(at: 0, seed: 6, epoch: $0).caption })
  }

  @Test func errorsNameRecordLineAndField() throws {
    let good = #"{"image": "a", "caption": "b"}"#
    let cases: [(text: String, record: Int, line: Int, field: String)] = [
      (#"[{"caption": "b"}]"#, 1, 1, "image"),
      ("[\(good),\n\n{\"image\": 3, \"caption\": \"b\"}]", 2, 3, "image"),
      ("\(good)\n{\"image\": \"\", \"caption\": \"b\"}", 2, 2, "image"),
      (#"[{"image": "a"}]"#, 1, 1, "caption"),
      (#"[{"image": "a", "caption": []}]"#, 1, 1, "caption"),
      (#"[{"image": "a", "caption": ["x", 1]}]"#, 1, 1, "caption"),
      (#"[{"image": "a", "caption": "  "}]"#, 1, 1, "caption"),
      (#"[{"image": "a", "caption": "b", "captions": ["c"]}]"#, 1, 1, "captions"),
      (#"[{"image": "a", "image": "b", "caption": "c"}]"#, 1, 1, "image"),
      (#"[{"image": "a", "caption": "c", "image_id": 1.5}]"#, 1, 1, "image_id"),
      (
        "{\"image\": \"a\", \"caption\": \"c\", \"image_id\": 1}\n"
          + "{\"image\": \"a\", \"caption\": \"d\", \"image_id\": 2}", 2, 2, "image_id"
      ),
      ("[\(good),\n7]", 2, 2, "image"),
    ]
    for (text, record, line, field) in cases {
      guard case .badRecord(let file, record, line, field, let problem) = failure(text) else {
        Issue.record("\(text): \(String(describing: failure(text)))")
        continue
      }
      #expect(file.hasSuffix("list.json") && !problem.isEmpty)
    }
  }

  @Test(arguments: [
    ("[{\"image\": \"a\",\n\"caption\": \"b\"", 2), ("[1,]", 1), ("[{}", 1),
    ("{\"image\" \"a\"}", 1),
    ("\n\n[{\"image\": \"a\\q\"}]", 3), ("[{\"image\": \"a\nb\"}]", 1), ("[01]", 1), ("[1.]", 1),
    ("[\"\\u12\"]", 1), ("[tru]", 1), ("[-]", 1), ("@", 1),
    (#"[{"image": "a", "caption": "b"}] x"#, 1),
  ])
  func malformedListsAreRefused(text: String, line: Int) {
    switch failure(text) {
    case .malformed(_, line, _): break
    // A first element that is no object is refused before the list's end is looked at.
    case .badRecord(_, 1, line, "image", _) where text == "[1,]" || text == "[{}": break
    case let other: Issue.record("\(String(describing: other))")
    }
  }

  @Test func deepNestingIsRefused() throws {
    let deep = String(repeating: "[", count: 1_000_000)
    guard case .malformed = failure(#"[{"image": "a", "caption": "# + deep) else {
      Issue.record("expected an error")
      return
    }
    let accepted = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
    #expect(try dataset(#"{"image": "a", "caption": "b", "x": \#(accepted)}"#).count == 1)
  }

  @Test func invalidTextIsRefused() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("list.json")
      let bytes = Array(#"[{"image": "a", "caption": "b"#.utf8) + [0xFF] + Array(#""}]"#.utf8)
      try Foundation.Data(bytes).write(to: file)
      let error = #expect(throws: DatasetError.self) { try CaptionDataset(file) }
      #expect(
        error?.description.contains("field \"caption\"") == true, "\(String(describing: error))")
      #expect(error?.description.contains("not UTF-8") == true)
      // The name of a file may be any bytes.
      let named = Array(#"[{"image": "a"#.utf8) + [0xFF] + Array(#"", "caption": "b"}]"#.utf8)
      try Foundation.Data(named).write(to: file)
      #expect(FileName.bytes(try CaptionDataset(file).record(at: 0).listedPath) == [0x61, 0xFF])
    }
  }

  @Test func emptyAndMissingListsAreRefused() throws {
    for text in ["", "[]", " \n"] {
      guard case .noSamples = failure(text) else {
        Issue.record("\(text)")
        continue
      }
    }
    let error = #expect(throws: DatasetError.self) {
      try CaptionDataset(URL(fileURLWithPath: "/no/such/list.json"))
    }
    #expect(
      error == .unreadable(file: "/no/such/list.json", detail: "No such file or directory"))
  }

  @Test func foldersAreReadInOrder() throws {
    try withTemporaryFolder { folder in
      func write(_ path: String, _ text: String) throws {
        let url = folder.appendingPathComponent(path)
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: url, atomically: true, encoding: .utf8)
      }
      try write("b.JPG", "")
      try write("b.txt", "first\r\n\n  second  \n")
      try write("a/z.webp", "")
      try write("a/z.txt", "third")
      try write("LICENSE.txt", "not a caption")
      let set = try CaptionDataset(folder)
      #expect((0..<set.count).map { set.record(at: $0).listedPath } == ["a/z.webp", "b.JPG"])
      #expect(set.record(at: 1).captions == ["first", "second"])
      #expect(set.record(at: 1).imagePath == folder.path + "/b.JPG")
      #expect((0..<set.count).map { set.record(at: $0).imageId } == [0, 1])
      try write("c.png", "")
      // What has no text, and what is no pair, is counted and named.
      #expect(set.findings == [SourceFinding(.withoutImage, count: 1, examples: ["LICENSE.txt"])])
      for (content, words) in [(nil, "found none"), ("\n \n", "is empty")] {
        if let content { try write("c.txt", content) }
        let findings = try CaptionDataset(folder).findings
        let silent = try #require(findings.first { $0.kind == .withoutText })
        #expect(silent.count == 1 && silent.examples[0].hasPrefix("c.png: "))
        #expect(silent.examples[0].contains(words), "\(silent.examples)")
      }
    }
  }

  /// A link to a folder above is not followed in circles, one to nothing is named.
  @Test func linksWithinFolders() throws {
    try withTemporaryFolder { folder in
      try "".write(to: folder.appendingPathComponent("a.jpg"), atomically: true, encoding: .utf8)
      try "one".write(to: folder.appendingPathComponent("a.txt"), atomically: true, encoding: .utf8)
      for (name, target) in [("loop", "."), ("gone.jpg", "nowhere")] {
        try FileManager.default.createSymbolicLink(
          atPath: folder.path + "/" + name, withDestinationPath: target)
      }
      let set = try CaptionDataset(folder)
      #expect(set.imageCount == 1)
      #expect(
        set.findings == [
          SourceFinding(.ignoredMembers, count: 1, examples: ["gone.jpg (a link to nothing)"])
        ])
    }
  }

  @Test func digestSpeaksOfContentNotOfPlace() throws {
    func digest(_ list: String, imageBytes: Int) throws -> String {
      try withTemporaryFolder { folder in
        let file = folder.appendingPathComponent("list.json")
        try list.write(to: file, atomically: true, encoding: .utf8)
        let image = folder.appendingPathComponent("a.jpg")
        try Foundation.Data(count: imageBytes).write(to: image)
        return try CaptionDataset(file).digest()
      }
    }
    let list = #"[{"image": "a.jpg", "caption": "b"}]"#
    let first = try digest(list, imageBytes: 5)
    #expect(first.count == 64)
    #expect(try digest(list, imageBytes: 5) == first)
    #expect(try digest(list, imageBytes: 6) != first)
    #expect(try digest(#"[{"image": "a.jpg", "caption": "c"}]"#, imageBytes: 5) != first)
    #expect(try digest(#"[{"image": "./a.jpg", "caption": "b"}]"#, imageBytes: 5) != first)
    #expect(try digest(#"[{"image": "a.jpg", "caption": ["b", "b"]}]"#, imageBytes: 5) != first)
  }
}
