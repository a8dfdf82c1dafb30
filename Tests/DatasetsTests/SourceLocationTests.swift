import Foundation
import Testing

@testable import Datasets

@Suite struct SourceLocationTests {
  @Test(arguments: [
    ("a-{0..2}.tar", ["a-0.tar", "a-1.tar", "a-2.tar"]),
    ("{08..11}", ["08", "09", "10", "11"]), ("{8..11}", ["8", "9", "10", "11"]),
    ("x{a,b}{1..2}", ["xa1", "xa2", "xb1", "xb2"]), ("{a,}", ["a", ""]), ("plain", ["plain"]),
  ])
  func bracesStandForSeveral(pattern: String, paths: [String]) throws {
    #expect(try ShardPaths.matching(pattern) == paths)
  }

  @Test(arguments: [
    ("{0..2", "never closed"), ("{a}", "expected"), ("{3..1}", "backwards"), ("{a..b}", "expected"),
    ("{{a,b},c}", "within"), ("{0..999999999}", "more than"), ("{0..999}{0..999}", "more than"),
    ("{-1..3}", "expected"), ("{0..99999999999999999999}", "expected"),
    ("/nowhere/*.tar", "nothing matches"),
  ])
  func wrongPatternsAreNamed(pattern: String, words: String) {
    let error = #expect(throws: DatasetError.self) { try ShardPaths.matching(pattern) }
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
  }

  @Test func everyKindIsOpenedByItsPath() throws {
    try withTemporaryFolder { folder in
      let memory = MemoryCaptions(count: 6)
      _ = try folder.packing(memory, as: "shards", shardSize: 2)
      let shards = folder.appendingPathComponent("shards")
      func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
      try FileManager.default.copyItem(
        atPath: shards.path + "/shard-000001.tar", toPath: path("unnamed"))
      try FileManager.default.copyItem(
        atPath: shards.path + "/shard-000001.tar", toPath: path("[x]{y}.tar"))
      try #"{"image": "a", "caption": "b"}"#.write(
        toFile: path("list.jsonl"), atomically: true, encoding: .utf8)
      try "image,caption\na,b\n".write(
        toFile: path("list.csv"), atomically: true, encoding: .utf8)
      let counts = [
        (shards.path, 6), (shards.path + "/", 6), (shards.path + "/*.tar", 6),
        (shards.path + "/shard-00000[12].tar", 4), (shards.path + "/shard-00000?.tar", 6),
        (shards.path + "/shard-{000000..000001}.tar", 4), (path("unnamed"), 2),
        (path("[x]{y}.tar"), 2), (path("list.jsonl"), 1), (path("list.csv"), 1),
      ]
      for (path, count) in counts {
        #expect(try SourceLocation(path: path).open().count == count, "\(path)")
      }
      for missing in ["none.tar", "none-{0..1}.tar", "none.jsonl", "none.csv"] {
        let error = #expect(throws: DatasetError.self) {
          try SourceLocation(path: path(missing)).open()
        }
        #expect(error?.description.contains("No such file") == true, "\(missing)")
      }
    }
  }

  @Test func foldersOfTwoKindsAreRefused() throws {
    try withTemporaryFolder { folder in
      _ = try folder.packing(MemoryCaptions(count: 2), as: "a", shardSize: 2)
      let image = folder.appendingPathComponent("a/x.jpg")
      try Foundation.Data([1]).write(to: image)
      let error = #expect(throws: DatasetError.self) {
        try SourceLocation(path: folder.path + "/a").open()
      }
      #expect(
        error
          == .ambiguousFolder(
            folder: folder.path + "/a", shard: "shard-000000.tar", image: "x.jpg"))
    }
  }

  @Test func compressedShardsInAFolderAreRefusedWithAdvice() throws {
    try withTemporaryFolder { folder in
      try Foundation.Data([0x1F, 0x8B, 8, 0]).write(
        to: folder.appendingPathComponent("a.tar.gz"))
      let error = #expect(throws: DatasetError.self) {
        try SourceLocation(path: folder.path).open()
      }
      #expect(error?.description.contains("gunzip") == true)
    }
  }
}
