import Foundation
import TestSupport
import Testing

@testable import Files

struct OutputPathTests {
  @Test func newAndEmptyFilesMayBeWritten() throws {
    let folder = try TemporaryFolder()
    try OutputPath.checkFile(folder.path("new"), force: false)
    try folder.write("", to: "empty")
    try OutputPath.checkFile(folder.path("empty"), force: false)
  }

  @Test func otherFilesAreRefused() throws {
    let folder = try TemporaryFolder()
    try folder.write("precious", to: "file")
    let path = folder.path("file")
    let refusal = OutputPath.Refusal.occupied(path: path, what: "another file", canForce: true)
    #expect(throws: refusal) { try OutputPath.checkFile(path, force: false) }
    #expect(throws: refusal) {
      try OutputPath.checkFile(path, force: false) { $0.starts(with: "<svg".utf8) }
    }
    try OutputPath.checkFile(path, force: true)
    try OutputPath.checkFile(path, force: false) { $0.starts(with: "prec".utf8) }
  }

  @Test func whatIsNoFileIsRefused() throws {
    let folder = try TemporaryFolder()
    for path in [folder.url.path, "/dev/null", folder.path("no/such/folder/file"), ""] {
      #expect(throws: OutputPath.Refusal.self, "\(path)") {
        try OutputPath.checkFile(path, force: true)
      }
    }
    try folder.write("precious", to: "file")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path("link"), withDestinationPath: folder.path("file"))
    #expect(throws: OutputPath.Refusal.self) {
      try OutputPath.checkFile(folder.path("link"), force: false) { _ in true }
    }
  }

  /// By whatever name the folder goes.
  @Test func foldersThatAreReadFromAreRefused() throws {
    let folder = try TemporaryFolder()
    let (path, link) = (folder.url.path, folder.path("link"))
    try folder.write("weights", to: "model.pth")
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    for source in [path, path + "/", link, folder.path("model.pth"), link + "/model.pth"] {
      #expect(throws: OutputPath.Refusal.self, "\(source)") {
        try OutputPath.checkFolder(path, isApartFrom: ["/usr", source])
      }
      try OutputPath.checkFolder(folder.path("new"), isApartFrom: [source])
    }
  }

  @Test func theFolderInWhichAnotherWouldBeMadeIsFound() throws {
    let folder = try TemporaryFolder()
    let path = folder.url.path
    for name in ["", "/", "/new", "/new/run/"] {
      #expect(try OutputPath.place(ofFolder: path + name) == path)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: path) == [])
    try folder.write("", to: "file")
    for name in ["file", "file/run"] {
      #expect(throws: SystemFailure("create folder", folder.path(name), code: ENOTDIR)) {
        try OutputPath.place(ofFolder: folder.path(name))
      }
    }
  }

  @Test func foldersWithOtherThingsAreRefused() throws {
    let folder = try TemporaryFolder()
    try OutputPath.checkFolder(folder.path("new"))
    try OutputPath.checkFolder(folder.url.path)
    try folder.write("", to: "own")
    try OutputPath.checkFolder(folder.url.path) { $0 == "own" }
    try folder.write("", to: "b")
    try folder.write("", to: "c")
    let error = #expect(throws: OutputPath.Refusal.self) {
      try OutputPath.checkFolder(folder.url.path) { $0 == "own" }
    }
    #expect(error?.description.contains("(b and 1 more)") == true)
    try OutputPath.checkFolder(folder.url.path, force: true)
    #expect(throws: OutputPath.Refusal.self) {
      try OutputPath.checkFolder(folder.path("b"), force: true)
    }
  }

  @Test func whatIsSetAsideNeverReplacesAnother() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("metrics.jsonl")
    #expect(try SetAside.move(path) == nil)
    for number in 1...3 {
      try folder.write("\(number)", to: "metrics.jsonl")
      let target = try #require(try SetAside.move(path))
      #expect(target == path + ".superseded" + (number == 1 ? "" : "-\(number)"))
      #expect(try String(contentsOfFile: target, encoding: .utf8) == "\(number)")
    }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func anAtomicFileReplacesALinkAndNotItsTarget() throws {
    let folder = try TemporaryFolder()
    try folder.write("precious", to: "victim")
    let link = folder.path("link")
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: folder.path("victim"))
    try AtomicFile.write("new".utf8, to: link)
    #expect(try String(contentsOfFile: folder.path("victim"), encoding: .utf8) == "precious")
    #expect(try String(contentsOfFile: link, encoding: .utf8) == "new")
    #expect(throws: SystemFailure.self) {
      try AtomicFile.write("x".utf8, to: folder.path("no/file"))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).count == 2)
  }
}
