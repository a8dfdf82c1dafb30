import Foundation
import Testing

@testable import Datasets

/// Archives that GNU tar and Python made; see `make.sh` beside them.
let shardFixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().appendingPathComponent("Fixtures/shards")

@Suite struct ShardSourceTests {
  private func bytes(_ name: String) throws -> [UInt8] {
    Array(try Foundation.Data(contentsOf: shardFixtures.appendingPathComponent(name)))
  }

  /// Opens an archive with the given bytes.
  private func source(
    _ bytes: [UInt8], captions: CaptionPolicy = .draw, toleratesDamage: Bool = false
  ) throws -> ShardSource {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("a.tar")
      try Foundation.Data(bytes).write(to: file)
      return try ShardSource(
        paths: [file.path], captions: captions, toleratesDamage: toleratesDamage)
    }
  }

  @Test(arguments: ["gnu.tar", "ustar.tar", "posix.tar", "python.tar"])
  func archivesOfOtherProgramsAreRead(name: String) throws {
    let path = shardFixtures.appendingPathComponent(name).path
    let source = try ShardSource(paths: [path])
    #expect(source.count == 3 && source.imageCount == 3 && source.pairCount == nil)
    let records = try (0..<3).map { try source.record(at: $0) }
    let long =
      "set/" + String(repeating: "long-folder-", count: 8) + "x/"
      + String(repeating: "long-name-", count: 9)
    let byKey = Dictionary(uniqueKeysWithValues: zip(records.map(\.listedPath), records.indices))
    let (first, second, third) = (byKey["set/a/000"], byKey[long], byKey["set/é"])
    let order = [try #require(first), try #require(second), try #require(third)]
    #expect(order.map { records[$0].captions } == [["a red thing"], ["one", "two"], ["ein Café"]])
    #expect(order.map { records[$0].givenId } == [nil, "7", "x"])
    #expect(Set(records.map(\.imageId)).count == 3)
    for (number, red) in zip(order, [10, 20, 30]) {
      let image = try ImageDecoder().decode(
        bytes: try source.imageBytes(ofImage: number, limit: 1 << 20))
      #expect(image.pixels[0] == red && image.width == 2)
      #expect(records[number].imagePath == "\(path):\(records[number].listedPath)")
    }
    let found = source.findings
    #expect(found.first { $0.kind == .withoutText }?.examples == ["\(path):set/lonely"])
    #expect(found.first { $0.kind == .withoutImage }?.examples == ["\(path):set/mute"])
    // `notes.cls`, which is named, and a link, which is counted.
    #expect(found.first { $0.kind == .ignoredMembers }?.count == 2)
  }

  @Test func everyPairIsASampleWhereWanted() throws {
    let path = shardFixtures.appendingPathComponent("ustar.tar").path
    let source = try ShardSource(paths: [path, path], captions: .all)
    #expect(source.count == 8 && source.pairCount == 8 && source.imageCount == 6)
    let samples = try (0..<8).map { try source.sample(at: $0, seed: 1, epoch: 0) }
    #expect(samples.map(\.caption).sorted().filter { $0 == "two" }.count == 2)
    #expect(samples.map(\.index) == Array(0..<8))
    #expect(Set(samples.map(\.image)) == Set(0..<6))
    // Images with the same `image_id` are the same image in whatever shard they are.
    let ones = samples.filter { $0.caption == "one" || $0.caption == "two" }
    #expect(Set(ones.map(\.imageId)).count == 1 && Set(ones.map(\.image)).count == 2)
  }

  /// Several synthetic captions of an image (CapFilt): each visit draws one.
  @Test func oneCaptionIsDrawnPerVisit() throws {
    try withTemporaryFolder { folder in
      let memory = MemoryCaptions(count: 3) { image in (0..<3).map { "\(image)-\($0)" } }
      let source = try ShardSource(paths: folder.packing(memory, as: "a", shardSize: 2))
      for image in 0..<3 {
        let drawn = try (0..<60).map {
          try source.sample(at: image, seed: 5, epoch: $0).caption
        }
        #expect(Set(drawn) == Set((0..<3).map { "\(image)-\($0)" }))
        let again = try (0..<60).map { try source.sample(at: image, seed: 5, epoch: $0).caption }
        #expect(drawn == again)
      }
    }
  }

  @Test(
    arguments: [
      (#"{"caption": ["a", "b"]}"#, ["a", "b"]), (#"{"text": "a"}"#, ["a"]),
      (#"{"captions": "a", "text": "b"}"#, ["a"]), (#"{"key": "0"}"#, nil),
      (#"{"caption": "  "}"#, nil), (#"{"caption": 3}"#, nil), ("[]", nil), ("{", nil), ("", nil),
      (#"{"caption": "a", "captions": ["b"]}"#, nil), (#"{"caption": "a"} x"#, nil),
      (#"{"caption": "a", "image_id": 1.5}"#, nil),
    ] as [(String, [String]?)])
  func textsOfObjects(json: String, captions: [String]?) throws {
    if let captions {
      #expect(try ShardText(json: Array(json.utf8)) { nil }.captions == captions)
    } else {
      #expect(throws: Problem.self) {
        try ShardText(json: Array(json.utf8)) { nil }
      }
    }
  }

  @Test func badCaptionsAreSkippedAndNamed() throws {
    try withTemporaryFolder { folder in
      let path = folder.appendingPathComponent("a.tar").path
      let image = PNGMaker.file(noise(width: 3, height: 3))
      let writer = try TarWriter(creating: path)
      for (key, json) in [("a", "{}"), ("b", #"{"caption": "good"}"#), ("c", "no")] {
        try writer.add("\(key).png", image)
        try writer.add("\(key).json", Array(json.utf8))
      }
      try writer.finish()
      let loader = try BatchLoader(
        source: ShardSource(paths: [path]),
        content: ImageContent(transform: .evaluation(side: 2)),
        options: BatchLoaderOptions(
          pass: .evaluation, batchSize: 3, seed: 1, maximumBadShare: 1))
      let batch = try #require(try loader.next())
      #expect(batch.samples.map(\.caption) == ["good"])
      #expect(batch.skipped.map(\.path) == ["\(path):a", "\(path):c"])
      let report = try DatasetReport(try ShardSource(paths: [path]))
      #expect(report.badImages == 2 && report.pairs == 1 && report.formats == [.png: 1])
      #expect(report.firstBadImages.map(\.path) == ["\(path):a", "\(path):c"])
    }
  }

  @Test func cutShardsAreRefusedAndCheckedUpToTheDamage() throws {
    let whole = try bytes("ustar.tar")
    let samples = try source(whole).imageCount
    var counts: Set<Int> = []
    for length in [0, 100, 512, 2048, 2049, 4000, 6144, whole.count - 1024] {
      let cut = Array(whole.prefix(length))
      let error = #expect(throws: DatasetError.self) { try source(cut) }
      guard case .damagedShard(let file, let offset, let problem) = error else {
        Issue.record("\(length): \(String(describing: error))")
        continue
      }
      #expect(file.hasSuffix("a.tar") && offset <= length && !problem.isEmpty)
      guard let tolerant = try? source(cut, toleratesDamage: true) else { continue }
      #expect(tolerant.findings.last?.kind == .damagedShards)
      counts.insert(tolerant.imageCount)
    }
    #expect(counts.count > 1 && counts.max() == samples, "\(counts)")
  }

  @Test(arguments: ["gnu-sparse.tar", "posix-sparse.tar"])
  func sparseFilesAreRefused(name: String) throws {
    let path = shardFixtures.appendingPathComponent(name).path
    let error = #expect(throws: DatasetError.self) { try ShardSource(paths: [path]) }
    guard case .unsupportedShard(path, let problem, let advice) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(problem.contains("sparse") && advice.contains("--sparse"))
  }

  @Test func compressedShardsAreRefused() throws {
    let error = #expect(throws: DatasetError.self) { try source([0x1F, 0x8B, 8, 0, 0, 0, 0]) }
    #expect(error?.description.contains("gunzip") == true)
    #expect(throws: DatasetError.self) { try source(Array("not an archive".utf8)) }
    #expect(throws: DatasetError.self) { try source([UInt8](repeating: 1, count: 2048)) }
  }

  @Test func joinedArchivesAreRefused() throws {
    let one = try bytes("ustar.tar")
    let error = #expect(throws: DatasetError.self) { try source(one + one) }
    #expect(error?.description.contains("tar -A") == true, "\(String(describing: error))")
  }

  /// The size of the first file in binary, as GNU tar writes it where eleven octal digits are few.
  @Test func binarySizes() throws {
    var archive = try bytes("gnu.tar")
    let block = try #require(
      stride(from: 0, to: archive.count, by: 512).first { archive[$0 + 156] == UInt8(ascii: "0") })
    let size = try TarHeader(archive[block..<(block + 512)]).size
    func set(_ field: [UInt8]) throws -> Int {
      archive.replaceSubrange((block + 124)..<(block + 136), with: field)
      archive.replaceSubrange((block + 148)..<(block + 156), with: Array("        ".utf8))
      let sum = archive[block..<(block + 512)].reduce(0) { $0 + Int($1) }
      let digits = String(sum, radix: 8)
      let padded = String(repeating: "0", count: 6 - digits.count) + digits + "\0 "
      archive.replaceSubrange((block + 148)..<(block + 156), with: Array(padded.utf8))
      return try TarHeader(archive[block..<(block + 512)]).size
    }
    let zeros = [UInt8](repeating: 0, count: 10)
    #expect(try set([0x80] + zeros + [UInt8(size)]) == size)
    #expect(try source(archive).imageCount == 3)
    #expect(try set([0x80, 0, 0, 0, 0x7F] + [UInt8](repeating: 0xFF, count: 7)) > 1 << 60)
    #expect(throws: DatasetError.self) { try source(archive) }
    #expect(throws: Problem.self) { try set([UInt8](repeating: 0xFF, count: 12)) }
    #expect(throws: Problem.self) {
      try set([0x80] + [UInt8](repeating: 0xFF, count: 11))
    }
  }

  @Test func attributesThatAreNoneAreRefused() throws {
    #expect(try TarAttributes(Array("12 path=a/b\n13 size=0123\n\0\0".utf8)).path == "a/b")
    #expect(try TarAttributes(Array("11 size=99\n".utf8)).size == 99)
    for text in [
      "9999999 path=a\n", "5 a\n", "x", "99", "11 size=-9\n", "10 size=x\n", "3 \n", "8 pathx\n",
      "99999999999999999999 path=a\n", "12 path=a/bc",
    ] {
      #expect(throws: Problem.self, "\(text)") { try TarAttributes(Array(text.utf8)) }
    }
  }

  @Test func aShardThatChangesIsNoticed() throws {
    try withTemporaryFolder { folder in
      let paths = try folder.packing(MemoryCaptions(count: 4), as: "a", shardSize: 4)
      let source = try ShardSource(paths: paths)
      let file = URL(fileURLWithPath: paths[0])
      try (Foundation.Data(contentsOf: file) + [0]).write(to: file)
      let error = #expect(throws: SkippedSample.self) { try source.record(at: 0) }
      #expect(error?.reason.contains("changed") == true, "\(String(describing: error))")
    }
  }

  @Test func fingerprintSpeaksOfContentNotOfPlace() throws {
    try withTemporaryFolder { folder in
      func fingerprint(_ memory: MemoryCaptions, _ name: String, size: Int = 3) throws -> String {
        try ShardSource(paths: folder.packing(memory, as: name, shardSize: size)).fingerprint()
      }
      let memory = MemoryCaptions(count: 5)
      let first = try fingerprint(memory, "a")
      #expect(try fingerprint(memory, "b") == first)
      #expect(try fingerprint(memory, "c", size: 2) != first)
      #expect(try fingerprint(MemoryCaptions(count: 4), "d") != first)
      let other = MemoryCaptions(count: 5) { ["other caption \($0)"] }
      #expect(try fingerprint(other, "e") != first)
    }
  }
}
