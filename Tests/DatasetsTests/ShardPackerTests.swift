import Files
import Foundation
import Testing

@testable import Datasets

@Suite struct ShardPackerTests {
  private let memory = MemoryCaptions(
    count: 7,
    captions: { image in
      switch image {
      case 1: return ["one", "two \"quoted\" / é 😀\n", "three"]
      case 2: return ["  kept as it is \n"]
      default: return ["caption \(image)"]
      }
    }, givenId: { $0 == 3 || $0 == 5 ? "same" : nil })

  private func bytes(_ paths: [String]) throws -> [Foundation.Data] {
    try paths.map { try Foundation.Data(contentsOf: URL(fileURLWithPath: $0)) }
  }

  @Test func readsBackAsTheSameRecords() throws {
    try withTemporaryFolder { folder in
      let paths = try folder.packing(memory, as: "a", shardSize: 3)
      #expect(paths.count == 3)
      let source = try ShardSource(paths: paths)
      #expect(source.imageCount == 7)
      for image in 0..<7 {
        let record = try source.record(at: image)
        #expect(record.captions == memory.records[image].captions)
        #expect(record.givenId == memory.records[image].givenId)
        #expect(try source.imageBytes(ofImage: image, limit: 1 << 20) == memory.files[image])
      }
      let ids = try (0..<7).map { try source.record(at: $0).imageId }
      #expect(ids[3] == ids[5] && Set(ids).count == 6)
      #expect(source.findings == [SourceFinding(.shards, count: 3)])
    }
  }

  @Test func theSameSourceGivesTheSameBytes() throws {
    try withTemporaryFolder { folder in
      let first = try folder.packing(memory, as: "a", shardSize: 3)
      #expect(try bytes(folder.packing(memory, as: "b", shardSize: 3)) == bytes(first))
      let again = try folder.packing(ShardSource(paths: first), as: "c", shardSize: 3)
      #expect(try bytes(again) == bytes(first))
      #expect(try bytes(first).allSatisfy { $0.count % 10240 == 0 })
    }
  }

  @Test func listsAndFoldersArePacked() throws {
    try withTemporaryFolder { folder in
      let images = folder.appendingPathComponent("images")
      try FileManager.default.createDirectory(at: images, withIntermediateDirectories: true)
      for image in 0..<3 {
        try Foundation.Data(memory.files[image]).write(
          to: images.appendingPathComponent("\(image).jpg"))
        try "text \(image)\nmore".write(
          to: images.appendingPathComponent("\(image).txt"), atomically: true, encoding: .utf8)
      }
      let list = folder.appendingPathComponent("list.csv")
      try "image,caption,image_id\n0.jpg,x,1\n1.jpg,y,1\n0.jpg,z,1\n".write(
        to: list, atomically: true, encoding: .utf8)
      let sources = [
        try SourceLocation(path: images.path).open(),
        try SourceLocation(path: list.path, imageFolder: images.path).open(),
      ]
      for (number, source) in sources.enumerated() {
        let packed = try ShardSource(
          paths: folder.packing(source, as: "\(number)", shardSize: 100))
        #expect(packed.imageCount == source.imageCount)
        for image in 0..<source.imageCount {
          let (before, after) = (try source.record(at: image), try packed.record(at: image))
          #expect(before.captions == after.captions && before.givenId == after.givenId)
        }
      }
    }
  }

  @Test func shardsHaveAtMostTheBytesWanted() throws {
    try withTemporaryFolder { folder in
      let output = folder.appendingPathComponent("a")
      let outcome = try ShardPacker(shardBytes: 5000).pack(memory, into: output) { _ in }
      #expect(outcome.shards > 1 && outcome.images == 7)
      let tiny = try ShardPacker(shardBytes: 1).pack(
        memory, into: folder.appendingPathComponent("b")
      ) { _ in }
      #expect(tiny.shards == 7)
    }
  }

  @Test func brokenImagesAreNamedAndLeftOut() throws {
    try withTemporaryFolder { folder in
      let output = folder.appendingPathComponent("a")
      var skipped: [SkippedSample] = []
      let outcome = try ShardPacker().pack(
        MemoryCaptions(count: 5, broken: [1, 4]), into: output
      ) { skipped.append($0) }
      #expect(outcome == .init(shards: 1, images: 3, skipped: 2))
      #expect(skipped.map(\.path) == ["1.png", "4.png"])
      let source = try SourceLocation(path: output.path).open()
      #expect(
        try (0..<3).map { try source.record(at: $0).captions[0] }
          == [0, 2, 3].map { "caption \($0)" })
    }
  }

  @Test func nothingIsOverwrittenAndNothingLeftBehind() throws {
    try withTemporaryFolder { folder in
      func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      }
      let all = MemoryCaptions(count: 3, broken: [0, 1, 2])
      let output = folder.appendingPathComponent("a")
      let nothing = #expect(throws: DatasetError.self) {
        try ShardPacker().pack(all, into: output) { _ in }
      }
      #expect(nothing == .nothingToPack(skipped: 3))
      #expect(try names().isEmpty)
      // An empty folder may be there.
      try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
      _ = try ShardPacker().pack(memory, into: output) { _ in }
      let before = try bytes([output.path + "/shard-000000.tar"])
      #expect(throws: OutputPath.Refusal.self) {
        try ShardPacker().pack(memory, into: output) { _ in }
      }
      let file = folder.appendingPathComponent("file")
      try "x".write(to: file, atomically: true, encoding: .utf8)
      #expect(throws: OutputPath.Refusal.self) {
        try ShardPacker().pack(memory, into: file) { _ in }
      }
      #expect(try names() == ["a", "file"])
      #expect(try bytes([output.path + "/shard-000000.tar"]) == before)
    }
  }
}
