import Foundation
import Testing

@testable import Files

@Suite struct FingerprintTests {
  private let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  private let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

  /// Writes `text`, with a modification time in the past as a settled file has it.
  private func write(_ text: String, to url: URL, secondsAgo: Double) throws {
    try Data(text.utf8).write(to: url)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -secondsAgo)], ofItemAtPath: url.path)
  }

  @Test func digestsAreThoseOfTheStandard() throws {
    try withTemporaryFolder { folder in
      let cache = FingerprintCache(folder: nil)
      let url = folder.appendingPathComponent("file")
      try Data("abc".utf8).write(to: url)
      #expect(try Fingerprint.ofFile(url, cache: cache) == abc)
      try Data().write(to: url)
      #expect(try Fingerprint.ofFile(url, cache: cache) == empty)
      // Two chunks and a part of one.
      try Data(repeating: UInt8(ascii: "a"), count: 2_500_000).write(to: url)
      #expect(
        try Fingerprint.ofFile(url, cache: cache)
          == "38a637965059125eeb67f54c30e7f48a61859a467a800ba09740ba48a924f2b9")
    }
  }

  @Test func unreadableFilesAreRefused() throws {
    try withTemporaryFolder { folder in
      let cache = FingerprintCache(folder: nil)
      #expect(throws: ReadFailure(folder.path, .notRegular)) {
        try Fingerprint.ofFile(folder, cache: cache)
      }
      #expect(throws: ReadFailure.self) {
        try Fingerprint.ofFile(folder.appendingPathComponent("missing"), cache: cache)
      }
    }
  }

  @Test func severalFilesGiveOneDigest() throws {
    try withTemporaryFolder { folder in
      let cache = FingerprintCache(folder: nil)
      try Data("abc".utf8).write(to: folder.appendingPathComponent("b"))
      try Data().write(to: folder.appendingPathComponent("a"))
      let lines = folder.appendingPathComponent("lines")
      try Data("\(empty)  a\n\(abc)  b\n".utf8).write(to: lines)
      let both = try Fingerprint.ofFiles(named: ["b", "a"], in: folder, cache: cache)
      #expect(try both == Fingerprint.ofFile(lines, cache: cache))
      #expect(try both != Fingerprint.ofFiles(named: ["a"], in: folder, cache: cache))
    }
  }

  @Test func cacheAnswersUntilTheFileChanges() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      let cacheFolder = folder.appendingPathComponent("cache/deep")
      let cacheFile = cacheFolder.appendingPathComponent("fingerprints.json")
      try write("abc", to: url, secondsAgo: 1000)
      #expect(try Fingerprint.ofFile(url, cache: FingerprintCache(folder: cacheFolder)) == abc)

      // Only a cache that answers without reading gives back what was put there by hand.
      let planted = String(repeating: "7", count: 64)
      let text = try String(contentsOf: cacheFile, encoding: .utf8)
      #expect(text.contains(abc))
      try Data(text.replacingOccurrences(of: abc, with: planted).utf8).write(to: cacheFile)
      let cache = FingerprintCache(folder: cacheFolder)
      #expect(try Fingerprint.ofFile(url, cache: cache) == planted)

      try write("abc", to: url, secondsAgo: 500)  // Another time, the same size.
      #expect(try Fingerprint.ofFile(url, cache: cache) == abc)
      try write("", to: url, secondsAgo: 500)  // Another size.
      #expect(try Fingerprint.ofFile(url, cache: cache) == empty)
    }
  }

  @Test func recentlyChangedFilesAreNotRemembered() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      let cacheFile = folder.appendingPathComponent("fingerprints.json")
      // A process that is kept waiting for seconds finds a file that was not changed recently.
      for _ in 0..<20 {
        let begin = ContinuousClock.now
        try write("abc", to: url, secondsAgo: 0)
        #expect(try Fingerprint.ofFile(url, cache: FingerprintCache(folder: folder)) == abc)
        if ContinuousClock.now - begin < .seconds(2) { break }
        try? FileManager.default.removeItem(at: cacheFile)
      }
      #expect(!FileManager.default.fileExists(atPath: cacheFile.path))
    }
  }

  @Test(arguments: ["", "{", "[[[[[[[", "{\"a\":1}", "not JSON"])
  func damagedCacheIsIgnoredAndReplaced(text: String) throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      let cacheFile = folder.appendingPathComponent("fingerprints.json")
      try write("abc", to: url, secondsAgo: 1000)
      try Data(text.utf8).write(to: cacheFile)
      #expect(try Fingerprint.ofFile(url, cache: FingerprintCache(folder: folder)) == abc)
      #expect(try String(contentsOf: cacheFile, encoding: .utf8).contains(abc))
    }
  }

  @Test func digestsThatAreNoneAreIgnored() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      let cacheFile = folder.appendingPathComponent("fingerprints.json")
      try write("abc", to: url, secondsAgo: 1000)
      _ = try Fingerprint.ofFile(url, cache: FingerprintCache(folder: folder))
      let text = try String(contentsOf: cacheFile, encoding: .utf8)
      try Data(text.replacingOccurrences(of: abc, with: "../etc").utf8).write(to: cacheFile)
      #expect(try Fingerprint.ofFile(url, cache: FingerprintCache(folder: folder)) == abc)
    }
  }

  @Test func unwritableCacheIsIgnored() throws {
    try withTemporaryFolder { folder in
      let url = folder.appendingPathComponent("file")
      try write("abc", to: url, secondsAgo: 1000)
      // A file where the cache's folder should be.
      #expect(try Fingerprint.ofFile(url, cache: FingerprintCache(folder: url)) == abc)
    }
  }

  @Test func cacheFolderFollowsTheEnvironment() {
    func folder(_ environment: [String: String]) -> String? {
      FingerprintCache.defaultFolder(environment: environment)?.path
    }
    #expect(folder(["BLIP2_CACHE": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"]) == "/a")
    #expect(folder(["XDG_CACHE_HOME": "/b", "HOME": "/c"]) == "/b/blip2-train")
    #expect(folder(["BLIP2_CACHE": "", "HOME": "/c"]) == "/c/.cache/blip2-train")
    #expect(folder([:]) == nil)
  }
}
