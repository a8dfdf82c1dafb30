import Foundation
import TestSupport
import Testing

@testable import Files

struct GrowingFileTests {
  @Test func appendsToWhatIsThere() throws {
    let folder = try TemporaryFolder()
    try folder.write("a\n", to: "log")
    let file = try GrowingFile(folder.path("log"))
    #expect(file.append("b\n".utf8) == nil && file.failure == nil)
    #expect(try String(contentsOfFile: folder.path("log"), encoding: .utf8) == "a\nb\n")
  }

  @Test func aNewFileIsNobodyElses() throws {
    let folder = try TemporaryFolder()
    try folder.write("", to: "log")
    let error = #expect(throws: SystemFailure.self) {
      try GrowingFile(folder.path("log"), mustBeNew: true)
    }
    #expect(error?.code == EEXIST)
  }

  /// Whoever may write to the folder could otherwise have any file appended to.
  @Test func linksAreNotFollowed() throws {
    let folder = try TemporaryFolder()
    try folder.write("precious", to: "victim")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("log"), withDestinationPath: folder.path("victim"))
    #expect(throws: SystemFailure.self) { try GrowingFile(folder.path("log")) }
    #expect(try String(contentsOfFile: folder.path("victim"), encoding: .utf8) == "precious")
  }

  /// Its name may come back, and with it the file.
  @Test func whatWasRemovedIsMadeAgain() throws {
    let folder = try TemporaryFolder()
    let runs = folder.url.appendingPathComponent("runs")
    let run = runs.appendingPathComponent("run")
    try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
    let path = run.appendingPathComponent("log").path
    let file = try GrowingFile(path)
    file.append("a\n".utf8)
    try FileManager.default.removeItem(at: runs)
    #expect(file.append("b\n".utf8)?.code == ENOENT)
    #expect(file.append("c\n".utf8) == nil, "the first failure is the one that is told")
    #expect(file.failure?.code == ENOENT)
    try FileManager.default.createDirectory(at: runs, withIntermediateDirectories: false)
    #expect(file.append("d\n".utf8) == nil && file.failure == nil)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "b\nc\nd\n")
  }

  @Test func aFullDiskKeepsBytesForLater() throws {
    let file = try GrowingFile("/dev/full")
    #expect(file.append("a".utf8)?.reason == "No space left on device")
    #expect(file.failure?.description == "cannot write /dev/full: No space left on device")
  }
}
