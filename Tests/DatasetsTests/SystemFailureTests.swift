import Files
import Foundation
import TestSupport
import Testing

@testable import Datasets

/// What the machine or the disk refuses is no broken sample: nothing is passed over for it.
@Suite struct SystemFailureTests {
  /// A source of which some samples meet an error.
  private final class Failing: CaptionSource {
    let memory: MemoryCaptions
    let failing: Int
    let failsInText: Bool
    static let error = DatasetError.systemFailure(file: "/disk/4.png", SystemError(EIO))

    init(count: Int, failing: Int, inText: Bool = false) {
      memory = MemoryCaptions(count: count)
      self.failing = failing
      failsInText = inText
    }

    var count: Int { memory.count }
    var imageCount: Int { memory.imageCount }
    var pairCount: Int? { memory.pairCount }

    func record(at image: Int) throws -> CaptionRecord {
      if failsInText && image == failing { throw Self.error }
      return memory.record(at: image)
    }

    func sample(at index: Int, seed: UInt64, epoch: Int) throws -> CaptionSample {
      if failsInText && index == failing { throw Self.error }
      return memory.sample(at: index, seed: seed, epoch: epoch)
    }

    func imageBytes(ofImage image: Int, limit: Int) throws -> [UInt8] {
      if !failsInText && image == failing { throw Self.error }
      return memory.imageBytes(ofImage: image, limit: limit)
    }

    func fingerprint() -> String { memory.fingerprint() }
    func imageFingerprint() -> String { memory.imageFingerprint() }
  }

  @Test(arguments: [false, true])
  func loadersEnd(inText: Bool) throws {
    let loader = try BatchLoader(
      source: Failing(count: 8, failing: 5, inText: inText),
      content: ImageContent(transform: .evaluation(side: 2)),
      options: BatchLoaderOptions(pass: .evaluation, batchSize: 4, seed: 1, maximumBadShare: 1))
    #expect(try loader.next()?.samples.count == 4)
    #expect(throws: Failing.error) { try loader.next() }
    #expect(try loader.next() == nil && loader.skipped.isEmpty)
  }

  @Test(arguments: [false, true])
  func reportsAndPackingEnd(inText: Bool) throws {
    let source = Failing(count: 40, failing: 33, inText: inText)
    #expect(throws: Failing.error) { try DatasetReport(source) }
    try withTemporaryFolder { folder in
      #expect(throws: Failing.error) {
        try ShardPacker(shardSize: 3).pack(source, into: folder.appendingPathComponent("a")) {
          Issue.record("\($0)")
        }
      }
      let left = try FileSystem.names(in: folder.path)
      #expect(left == [])
    }
  }

  @Test func theErrorNamesFileAndWordsAndAdvice() {
    let limit = DatasetError.systemFailure(file: "/a/b.tar", SystemError(EMFILE))
    #expect(
      limit.description
        == "/a/b.tar: cannot be read: Too many open files. This is no fault of the file, so that "
        + "nothing is passed over for it; raise the limit by \"ulimit -n\"")
    #expect(
      DatasetError(SystemError(ENOENT), file: "x").description.hasSuffix(
        "No such file or directory"))
    #expect(DatasetError(ReadFailure("x", .system(SystemError(ESTALE)))).isSystemFailure)
    #expect(!DatasetError(ReadFailure("x", .system(SystemError(EACCES)))).isSystemFailure)
  }

  /// A file of one's own that may not be read is one broken sample; a folder that may not be
  /// entered hides all.
  @Test func forbiddenFoldersAreNoBrokenSamples() throws {
    try withTemporaryFolder { url in
      let folder = url.path + "/inner"
      #expect(mkdir(folder, 0o755) == 0)
      defer { chmod(folder, 0o700) }
      let path = folder + "/a.png"
      let shard = try url.packing(MemoryCaptions(count: 2), as: "inner/shards", shardSize: 2)[0]
      let source = try ShardSource(paths: [shard])
      try Foundation.Data(PNGMaker.file(noise(width: 2, height: 2))).write(
        to: URL(fileURLWithPath: path))
      let list = url.path + "/list.jsonl"
      try #"{"image": "inner/a.png", "caption": "x"}"#.write(
        toFile: list, atomically: true, encoding: .utf8)
      let listed = try CaptionDataset(path: list)
      chmod(path, 0)
      try FileAccess.ofNobody {
        let error = #expect(throws: ImageError.self) {
          try listed.imageBytes(ofImage: 0, limit: 1 << 20)
        }
        #expect(error?.reason == .unreadable("Permission denied"))
      }
      chmod(folder, 0)
      try FileAccess.ofNobody {
        let expected = DatasetError.systemFailure(file: path, SystemError(EACCES, isOfFolder: true))
        #expect(throws: expected) { try listed.imageBytes(ofImage: 0, limit: 1 << 20) }
        #expect(throws: expected) { try ImageDecoder().decode(path: path) }
        let hidden = SystemError(EACCES, isOfFolder: true)
        let ofShard = DatasetError.systemFailure(file: shard, hidden)
        #expect(throws: ofShard) { try source.record(at: 0) }
        #expect(throws: ofShard) { try source.imageBytes(ofImage: 0, limit: 1 << 20) }
        let ofFolder = DatasetError.systemFailure(file: folder, hidden)
        #expect(throws: ofFolder) { try CaptionDataset(path: folder) }
        #expect(throws: ofFolder) { try SourceLocation(path: folder).open() }
        #expect(throws: DatasetError.systemFailure(file: folder + "/x.json", hidden)) {
          try SourceLocation(path: folder + "/x.json").open()
        }
        #expect(throws: ofFolder) { try CaptionDataset(path: url.path) }
      }
    }
  }

  @Test func evaluationSetsDoNotTakeItForAMissingImage() throws {
    try withTemporaryFolder { url in
      let folder = url.path + "/inner"
      #expect(mkdir(folder, 0) == 0)
      defer { chmod(folder, 0o700) }
      let file = url.path + "/list.json"
      try #"[{"image": "inner/a.png", "caption": "x"}]"#.write(
        toFile: file, atomically: true, encoding: .utf8)
      chmod(file, 0o644)
      let expected = DatasetError.systemFailure(
        file: folder + "/a.png", SystemError(EACCES, isOfFolder: true))
      try FileAccess.ofNobody {
        let error = #expect(throws: DatasetError.self) {
          try CaptionEvaluationSet(file: URL(fileURLWithPath: file))
        }
        #expect(error == expected)
      }
    }
  }

  /// A socket has the error that a lost disk has, and is one broken image.
  @Test func socketsAreRefusedAsNoFiles() throws {
    // Names of sockets are short; a process's number may have been another's, whose file is still there.
    let path = "/tmp/\(UUID().uuidString)-datasets.jpg"
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer {
      close(descriptor)
      unlink(path)
    }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(status == 0)
    let error = #expect(throws: ImageError.self) { try ImageDecoder().decode(path: path) }
    #expect(error?.reason == .notAFile)
  }
}
