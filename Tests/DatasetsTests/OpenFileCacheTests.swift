import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Datasets
@testable import Files

/// One budget of open files for all sources of a process.
@Suite struct OpenFileCacheTests {
  @Test(arguments: [
    (0, 2), (10, 2), (49, 2), (50, 2), (64, 16), (256, 208), (304, 256), (1024, 256),
    (1 << 20, 256), (Int.max, 256),
  ])
  func theBudgetComesFromTheLimit(limit: Int, capacity: Int) {
    #expect(OpenFileCache.capacity(forLimit: limit) == capacity)
  }

  /// Files with a byte each, their numbers.
  private func withFiles(_ count: Int, _ body: ([String]) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let paths = (0..<count).map { folder.path + "/\($0)" }
      for (number, path) in paths.enumerated() {
        try Foundation.Data([UInt8(number)]).write(to: URL(fileURLWithPath: path))
      }
      try body(paths)
    }
  }

  private func number(_ file: OpenFile) throws -> Int { Int(try file.bytes(at: 0, count: 1)[0]) }

  @Test func theLongestUnusedIsClosed() throws {
    try withFiles(4) { paths in
      let cache = OpenFileCache(capacity: 2)
      let files = CachedFiles(paths, cache: cache)
      func read(_ number: Int) throws -> ObjectIdentifier {
        try files.read(number) { file in
          let found = try self.number(file)
          #expect(found == number)
          return ObjectIdentifier(file)
        }
      }
      var kept: [OpenFile] = []
      let first = try files.read(0) { file in
        kept.append(file)
        return ObjectIdentifier(file)
      }
      _ = try read(1)
      #expect(try read(0) == first)
      _ = try read(2)
      #expect(try read(0) == first)
      for number in [3, 1, 2] { _ = try read(number) }
      // Held here, so that no other object can have its identity.
      #expect(try read(0) != first && kept.count == 1)
      #expect(cache.count == 2)
    }
  }

  @Test func ownersShareTheBudgetAndCloseWhatIsTheirs() throws {
    try withFiles(3) { paths in
      let cache = OpenFileCache(capacity: 4)
      let first = CachedFiles(paths, cache: cache)
      do {
        let second = CachedFiles(paths.reversed(), cache: cache)
        for number in 0..<3 {
          let own = try first.read(number) { try self.number($0) }
          let others = try second.read(number) { try self.number($0) }
          #expect(own == number && others == 2 - number)
        }
        #expect(cache.count == 4)
      }
      #expect(cache.count <= 2)
      cache.closeIdle()
      #expect(cache.count == 0)
      let again = try first.read(1) { try self.number($0) }
      #expect(again == 1)
    }
  }

  @Test func whatCannotBeOpenedTakesNoRoom() throws {
    try withFiles(1) { paths in
      let cache = OpenFileCache(capacity: 1)
      let files = CachedFiles(["/nowhere/at/all"] + paths, cache: cache)
      for _ in 0..<3 {
        #expect(throws: ReadFailure.self) { try files.read(0) { try number($0) } }
        let found = try files.read(1) { try number($0) }
        #expect(found == 0)
      }
      #expect(throws: CancellationError.self) {
        try files.read(1) { _ in throw CancellationError() }
      }
      #expect(cache.count == 1)
    }
  }

  /// Many threads in more files than may be open, of which never more are: readers wait.
  @Test func neverMoreThanTheBudgetAreOpen() throws {
    try withFiles(12) { paths in
      let cache = OpenFileCache(capacity: 3)
      let sources = (0..<5).map { _ in CachedFiles(paths, cache: cache) }
      let most = Atomic(0)
      let wrong = Atomic(0)
      let threads = DispatchGroup()
      for thread in 0..<8 {
        threads.enter()
        Thread.detachNewThread {
          for step in 0..<400 {
            let number = (step * 7 + thread * 5) % 12
            let found = try? sources[(step + thread) % 5].read(number) { file in
              _ = most.max(cache.count, ordering: .relaxed)
              return try self.number(file)
            }
            if found != number { wrong.add(1, ordering: .relaxed) }
          }
          threads.leave()
        }
      }
      threads.wait()
      #expect(wrong.load(ordering: .relaxed) == 0)
      #expect(most.load(ordering: .relaxed) == 3)
    }
  }

  /// A hundred sources of many shards keep no more open than one.
  @Test func sourcesOfManyShardsKeepToTheBudget() throws {
    try withTemporaryFolder { folder in
      let paths = try folder.packing(MemoryCaptions(count: 40), as: "a", shardSize: 1)
      let sources = try (0..<100).map { _ in try ShardSource(paths: paths) }
      for source in sources {
        for image in 0..<40 {
          #expect(try source.record(at: image).captions == ["caption \(image)"])
        }
      }
      let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
        let target = try? FileManager.default.destinationOfSymbolicLink(
          atPath: "/proc/self/fd/\($0)")
        return target?.hasPrefix(folder.path) == true
      }
      #expect(open <= OpenFileCache.shared.capacity, "\(open)")
    }
  }

  /// What is opened in turn costs the same, however many there were.
  @Test func manyShardsAreNotQuadratic() throws {
    try withFiles(1) { paths in
      let cache = OpenFileCache(capacity: 256)
      let files = CachedFiles(Array(repeating: paths[0], count: 40_000), cache: cache)
      /// The least work of several thousand files: others use the processor's caches too.
      func open(from first: Int) throws -> Duration {
        let times = try (0..<5).map { part in
          try WorkTime.measure {
            for number in first + part * 1000..<first + (part + 1) * 1000 {
              _ = try files.read(number) { $0.size }
            }
          }
        }
        return times.min() ?? .zero
      }
      _ = try open(from: 0)
      let (early, late) = (try open(from: 5000), try open(from: 35_000))
      #expect(late < early * 6, "\(early), \(late)")
    }
  }
}
