import Foundation
import TestSupport
import Testing

@testable import Files

/// Files that are read, written whole, or gone on with.
struct OpenFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func aFolderAPipeAndNothingAreNoFiles() throws {
    let pipe = folder.path("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    for path in [folder.url.path, pipe, "/dev/null"] {
      #expect(throws: ReadFailure(path, .notRegular)) { try OpenFile(reading: path) }
    }
    let absent = folder.path("absent")
    #expect(throws: ReadFailure(absent, .system(SystemError(ENOENT)))) {
      try OpenFile(reading: absent)
    }
  }

  @Test func whatIsReadIsBounded() throws {
    let url = try folder.write("0123456789", to: "file")
    #expect(try BoundedFile.contents(of: url.path, limit: 10) == Array("0123456789".utf8))
    #expect(throws: ReadFailure(url.path, .tooLarge(size: 10, limit: 9))) {
      try BoundedFile.contents(of: url.path, limit: 9)
    }
    let file = try OpenFile(reading: url.path)
    #expect(try file.bytes(at: 7, count: 10) == Array("789".utf8))
    #expect(try file.bytes(at: 20, count: 10) == [])
  }

  @Test func aPipeAndAFileAreReadOn() throws {
    let path = folder.path("pipe")
    #expect(mkfifo(path, 0o600) == 0)
    // Open for both, it waits for no other end.
    let pipe = try OpenFile(path, flags: O_RDWR)
    try pipe.append(Array("01234".utf8))
    #expect(try pipe.nextBytes(limit: 3) == Array("012".utf8))
    #expect(try pipe.nextBytes(limit: 2) == Array("34".utf8))
    let file = try OpenFile(try folder.write("0123", to: "file").path, flags: O_RDONLY)
    #expect(try file.nextBytes(limit: 3) == Array("012".utf8))
    #expect(try file.nextBytes(limit: 3) == Array("3".utf8))
    let opened = try OpenFile(folder.url.path, flags: O_RDONLY)
    #expect(throws: SystemFailure("read", folder.url.path, code: EISDIR)) {
      try opened.nextBytes(limit: 1)
    }
  }

  @Test func anAtomicFileLeavesNothingWhereItFails() throws {
    struct Stop: Error {}
    let url = try folder.write("old", to: "file")
    #expect(throws: Stop.self) {
      try AtomicFile.replace(url.path) {
        try $0.append(Array("new".utf8))
        throw Stop()
      }
    }
    #expect(try String(contentsOf: url, encoding: .utf8) == "old")
    #expect(try FileSystem.names(in: folder.url.path) == ["file"])
  }

  @Test func temporaryNamesAreKnown() {
    #expect(AtomicFile.isTemporary(".step-00000040.h5.tmp-12"))
    for name in [".step-00000040.h5.tmp-", "a.tmp-3", ".other", ".a.tmp-1x"] {
      #expect(!AtomicFile.isTemporary(name), "\(name)")
    }
  }

  @Test func anAtomicFolderTakesTheNameOfAnEmptyOneOnly() throws {
    let empty = folder.path("a/b")
    try FileSystem.createFolder(empty)
    let made = try AtomicFolder(becoming: empty)
    try AtomicFile.write("x".utf8, to: made.path + "/file")
    try made.finish()
    made.removeUnlessFinished()
    #expect(try FileSystem.names(in: empty) == ["file"])
    #expect(throws: OutputPath.Refusal.self) { try AtomicFolder(becoming: empty) }
    let given = try AtomicFolder(becoming: folder.path("c"))
    given.removeUnlessFinished()
    #expect(try FileSystem.names(in: folder.url.path) == ["a"])
  }
}
