import Files
import Foundation
import Testing

@testable import Datasets

/// Files whose names are not UTF-8, or differ only in how é is composed, are files of their own.
@Suite struct ByteNameTests {
  /// `caf\xE9`, é in one piece and in two, a scalar of the range that stands for bytes, plain.
  private static let names: [[UInt8]] = [
    [0x63, 0x61, 0x66, 0xE9], Array("e\u{301}".utf8), Array("plain".utf8), [0xC3, 0xA9],
    Array("\u{301}x".utf8), Array("\u{10FFFF}".utf8),
  ]
  private static let texts = names.map { FileName.text($0) }
  private static let images = names.indices.map {
    PNGMaker.file(noise(width: 3, height: 2, seed: UInt64($0)))
  }

  /// Writes a file, whatever its name.
  private static func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = FileName.withCString(path) { open($0, O_WRONLY | O_CREAT | O_EXCL, 0o600) }
    #expect(descriptor >= 0, "\(path)")
    try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      .write(contentsOf: Foundation.Data(bytes))
  }

  /// A folder with an image of each name and a text beside it, removed afterwards.
  private func withImages(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { url in
      let folder = url.path + "/images"
      #expect(mkdir(folder, 0o700) == 0)
      defer {
        for name in (try? FileSystem.names(in: folder)) ?? [] {
          _ = FileName.withCString(FilePath.joined(folder, name)) { unlink($0) }
        }
      }
      for (number, name) in Self.texts.enumerated() {
        try Self.write(Self.images[number], to: "\(folder)/\(name).png")
        try Self.write(Array("image \(number)".utf8), to: "\(folder)/\(name).txt")
      }
      try body(folder)
    }
  }

  private func expectAll(_ source: any CaptionSource, _ what: String) throws {
    #expect(source.imageCount == Self.names.count, "\(what)")
    var seen: Set<String> = []
    for image in 0..<source.imageCount {
      let captions = try source.record(at: image).captions
      let number = try #require(captions[0].split(separator: " ").last.flatMap { Int($0) })
      #expect(captions == ["image \(number)"], "\(what)")
      #expect(try source.imageBytes(ofImage: image, limit: 1 << 20) == Self.images[number])
      seen.insert(captions[0])
    }
    #expect(seen.count == Self.names.count, "\(what)")
  }

  @Test func foldersAreReadWhole() throws {
    try withImages { folder in
      let source = try SourceLocation(path: folder).open()
      try expectAll(source, "folder")
      let listed = try (0..<source.imageCount).map { try source.record(at: $0).listedPath }
      // In the order of the bytes on the disk.
      #expect(listed.map(NameKey.init) == Self.texts.map { NameKey("\($0).png") })
      let path = try source.record(at: 0).imagePath
      #expect(try ImageDecoder().decode(path: path).width == 3)
      #expect(try ImageDecoder().decode(file: URL(fileURLWithPath: path)).width == 3)
      #expect(try ImageDecoder().size(of: URL(fileURLWithPath: path)).size.height == 2)
    }
  }

  /// Python writes names that are not UTF-8 as halves of surrogate pairs.
  @Test func listsNameFilesByTheirBytes() throws {
    try withImages { folder in
      let names = ["caf\\udce9", "e\\u0301", "plain", "é", "\\u0301x", "\\udbff\\udfff"]
      let lines = names.enumerated().map {
        #"{"image": "\#($1).png", "caption": "image \#($0)"}"#
      }
      try Self.write(Array(lines.joined(separator: "\n").utf8), to: folder + "/list.jsonl")
      let table = Self.names.enumerated().flatMap { number, name in
        name + Array(".png,image \(number)\n".utf8)
      }
      try Self.write(Array("image,caption\n".utf8) + table, to: folder + "/list.csv")
      for list in ["list.jsonl", "list.csv"] {
        let source = try CaptionDataset(path: "\(folder)/\(list)", captions: .all)
        try expectAll(source, list)
        #expect(source.pairCount == Self.names.count)
        let ids = (0..<source.imageCount).map { source.record(at: $0).imageId }
        #expect(ids == Array(0..<Int64(source.imageCount)))
      }
    }
  }

  /// Halves of pairs may spell the bytes of UTF-8 as well: it is the same file.
  @Test func aFileHasOneNameHoweverItIsSpelt() throws {
    try withImages { folder in
      let list =
        #"[{"image": "\udcc3\udca9.png", "caption": "a"}, {"image": "é.png", "caption": "b"}]"#
      try Self.write(Array(list.utf8), to: folder + "/list.json")
      let source = try CaptionDataset(path: folder + "/list.json")
      #expect(source.imageCount == 1 && source.record(at: 0).captions == ["a", "b"])
      #expect(try source.imageBytes(ofImage: 0, limit: 1 << 20) == Self.images[3])
    }
  }

  @Test func idsAreTakenByTheirBytes() throws {
    try withTemporaryFolder { folder in
      let list = """
        [{"image": "a", "caption": "x", "image_id": "\u{E9}"},
        {"image": "b", "caption": "x", "image_id": "e\u{301}"},
        {"image": "c", "caption": "x", "image_id": "\u{E9}", "e\u{301}": 1, "\u{E9}": 2}]
        """
      let file = folder.appendingPathComponent("list.json")
      try Foundation.Data(list.utf8).write(to: file)
      let source = try CaptionDataset(file)
      #expect((0..<3).map { source.record(at: $0).imageId } == [0, 1, 0])
      let other = list.replacingOccurrences(of: "\"b\"", with: "\"a\"")
      try Foundation.Data(other.utf8).write(to: file)
      let error = #expect(throws: DatasetError.self) { try CaptionDataset(file) }
      #expect(error?.description.contains("record 2") == true)
    }
  }

  @Test(arguments: [
    (#"[{"image": "a", "caption": "b\udce9"}]"#, "record 1 (line 1), field \"caption\""),
    (#"[{"image": "a", "caption": ["b", "\udcff"]}]"#, "record 1 (line 1), field \"caption\""),
    (#"[{"image": "a", "caption": "b", "image_id": "\udc80"}]"#, "field \"image_id\""),
    (#"[{"image": "\udc7f", "caption": "b"}]"#, "half of a surrogate pair"),
    (#"[{"image": "\udd00", "caption": "b"}]"#, "half of a surrogate pair"),
    (#"[{"image": "\ud800\udce9x", "caption": "\ud800"}]"#, "half of a surrogate pair"),
  ])
  func otherTextsAreUTF8(list: String, words: String) throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("list.json")
      try Foundation.Data(list.utf8).write(to: file)
      let error = #expect(throws: DatasetError.self) { try CaptionDataset(file) }
      #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }
  }

  // MARK: Shards

  private static func fixture(_ name: String) -> String {
    shardFixtures.deletingLastPathComponent()
      .appendingPathComponent("cases/names-not-utf8/\(name)").path
  }

  @Test func imagesAreNotPairedWithTextsOfOthers() throws {
    let path = Self.fixture("cross.tar")
    let source = try ShardSource(paths: [path])
    #expect(source.imageCount == 1)
    #expect(try source.record(at: 0).captions == ["plain"])
    let found = source.findings
    #expect(
      found.first { $0.kind == .withoutText }?.examples.map(NameKey.init)
        == [NameKey("\(path):caf\u{10FFE9}")])
    #expect(
      found.first { $0.kind == .withoutImage }?.examples.map(NameKey.init)
        == [NameKey("\(path):caf\u{10FFE8}")])
    let table = try DatasetReport(source).description
    #expect(table.contains("Without an image:\n  \(path):caf\\xE8\n"))
    #expect(table.hasSuffix("Without a text:\n  \(path):caf\\xE9"))
  }

  @Test func samplesOfAShardStayApart() throws {
    let source = try ShardSource(paths: [Self.fixture("both.tar")])
    let records = try (0..<source.imageCount).map { try source.record(at: $0) }
    #expect(records.map { FileName.bytes($0.listedPath).last } == [0xE9, 0xE8, 0x78])
    #expect(records.map(\.captions) == [["acute"], ["grave"], ["plain"]])
  }

  @Test func packedSamplesStayApart() throws {
    try withImages { folder in
      let output = URL(fileURLWithPath: folder).deletingLastPathComponent()
      let paths = try output.packing(
        SourceLocation(path: folder).open(), as: "packed", shardSize: 2)
      try expectAll(ShardSource(paths: paths), "packed")
      let both = try output.packing(
        ShardSource(paths: [Self.fixture("both.tar")]), as: "both", shardSize: 9)
      let captions = try ShardSource(paths: both)
      #expect(
        try (0..<3).map { try captions.record(at: $0).captions[0] } == ["acute", "grave", "plain"])
    }
  }

  @Test func shardsAreListedAndMatchedByTheirBytes() throws {
    try withTemporaryFolder { url in
      let folder = url.path + "/shards\u{10FFFF}"
      #expect(FileName.withCString(folder) { mkdir($0, 0o700) } == 0)
      let shard = try url.packing(MemoryCaptions(count: 1), as: "one", shardSize: 1)[0]
      let names = ["\u{10FFE9}.tar", "e\u{301}.tar", "\u{E9}.tar"]
      let bytes = Array(try Foundation.Data(contentsOf: URL(fileURLWithPath: shard)))
      for name in names { try Self.write(bytes, to: "\(folder)/\(name)") }
      defer {
        for name in names { _ = FileName.withCString("\(folder)/\(name)") { unlink($0) } }
        _ = FileName.withCString(folder) { rmdir($0) }
      }
      let counts = [
        (folder, 3), (folder + "/", 3), (folder + "/*.tar", 3),
        (folder + "/{\u{E9},e\u{301}}.tar", 2),
        (folder + "/\u{10FFE9}.tar", 1), (folder + "/[\u{10FFE9}].tar", 1),
      ]
      var prints: Set<String> = []
      for (path, count) in counts {
        let source = try SourceLocation(path: path).open()
        #expect(source.count == count, "\(path)")
        prints.insert(source.imageFingerprint())
        #expect(try source.imageBytes(ofImage: 0, limit: 1 << 20).count > 0)
      }
      #expect(prints.count == 3)
      for name in names {
        prints.insert(try SourceLocation(path: "\(folder)/\(name)").open().imageFingerprint())
      }
      #expect(prints.count == 5)
      let missing = #expect(throws: DatasetError.self) {
        try SourceLocation(path: folder + "/none.tar").open()
      }
      #expect(
        missing?.description.contains("shards\\xFF/none.tar: cannot be read: No such") == true)
    }
  }

  // MARK: Digests

  /// What runs have stored: the digests are the same as those of earlier versions, which Python
  /// confirms from their description.
  @Test func digestsOfOrdinaryNamesStay() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("list.json")
      try Foundation.Data(#"[{"image": "é.jpg", "caption": "b"}]"#.utf8).write(to: file)
      let source = try CaptionDataset(file)
      #expect(
        source.digest() == "ee7efba987788d31864a0bb9114f4d685815f918bc2bbf2f69fcc0e4c429c0db")
      #expect(
        source.imageFingerprint()
          == "files:14f5029a5d6264b0fd19ea84a38ad38aeeb4aa411f3f2322365e29f23fc73765")
    }
    let shard = try ShardSource(paths: [shardFixtures.appendingPathComponent("ustar.tar").path])
    #expect(
      shard.imageFingerprint()
        == "shards:29f4e5690fddc4719231378fd504c0fd0cb9e19fbc7869d8220398162ffab918")
  }

  @Test func digestsOfDifferentBytesDiffer() throws {
    try withTemporaryFolder { folder in
      var digests: Set<String> = []
      let names = ["\\udce9", "\\udce8", "\\ufffd", "\\u00e9", "e\\u0301", "\\udbff\\udfff"]
      for name in names {
        let file = folder.appendingPathComponent("list.json")
        try Foundation.Data(#"[{"image": "\#(name)", "caption": "b"}]"#.utf8).write(to: file)
        let source = try CaptionDataset(file)
        digests.formUnion([source.digest(), source.imageFingerprint()])
      }
      #expect(digests.count == 2 * names.count)
    }
  }

  // MARK: Evaluation sets

  @Test func evaluationSetsFindEveryImage() throws {
    try withImages { folder in
      let names = ["caf\\udce9", "e\\u0301", "plain", "é", "\\u0301x", "\\udbff\\udfff"]
      let records = names.enumerated().map {
        #"{"image": "else/\#($1).png", "caption": "c\#($0)", "question": "q", "question_id": \#($0)}"#
      }
      let list = folder + "/list.json"
      try Self.write(Array("[\(records.joined(separator: ","))]".utf8), to: list)
      let set = try CaptionEvaluationSet(file: URL(fileURLWithPath: list))
      let expected = Self.texts.map { NameKey("\(folder)/\($0).png") }
      #expect(set.items.map { NameKey($0.image.path) } == expected)
      #expect(set.items.map(\.references) == names.indices.map { ["c\($0)"] })
      #expect(set.items.map { NameKey($0.id) } == Self.texts.map { NameKey("else/\($0).png") })
      let questions = try QuestionSet(questions: URL(fileURLWithPath: list))
      #expect(questions.items.map { NameKey($0.image.path) } == expected)
      for (number, item) in set.items.enumerated() {
        #expect(
          try ImageDecoder().decode(path: item.image.path)
            == ImageDecoder().decode(bytes: Self.images[number]))
      }
    }
  }

  @Test func idsOfEvaluationSetsAreTakenByTheirBytes() throws {
    try withImages { folder in
      let coco = """
        {"images": [{"id": "\u{E9}", "file_name": "\u{E9}.png"}, {"id": "e\u{301}"}],
        "annotations": [{"image_id": "e\u{301}", "caption": "two"},
        {"image_id": "\u{E9}", "caption": "one"}]}
        """
      try Self.write(Array(coco.utf8), to: folder + "/coco.json")
      let set = try CaptionEvaluationSet(file: URL(fileURLWithPath: folder + "/coco.json"))
      #expect(set.items.map(\.references) == [["one"], ["two"]])
      #expect(
        set.items.map { NameKey($0.image.path) }
          == ["\u{E9}", "e\u{301}"].map { NameKey("\(folder)/\($0).png") })
      let missing = #"[{"image": "\udce8.png", "caption": "x"}]"#
      try Self.write(Array(missing.utf8), to: folder + "/missing.json")
      let error = #expect(throws: DatasetError.self) {
        try CaptionEvaluationSet(file: URL(fileURLWithPath: folder + "/missing.json"))
      }
      #expect(error?.description.contains("\(folder)/\\xE8.png") == true)
    }
  }
}
