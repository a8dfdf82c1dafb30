import Foundation
import TestSupport
import Testing

@testable import Files

struct FileSystemTests {
  @Test func namesOfAnyBytesAreListedAndFound() throws {
    let folder = try TemporaryFolder()
    let names: [[UInt8]] = [[0x63, 0xE9], [0xFF], Array("\u{E9}".utf8), Array("e\u{301}".utf8)]
    for (size, bytes) in names.enumerated() {
      let path = FilePath.joined(folder.url.path, FileName.text(bytes))
      let descriptor = FileName.withCString(path) { open($0, O_WRONLY | O_CREAT, 0o600) }
      #expect(descriptor >= 0 && ftruncate(descriptor, off_t(size)) == 0)
      close(descriptor)
      #expect(try FileSystem.kind(of: path) == .file(size: size))
      let again = try FileSystem.descriptor(of: path, flags: O_RDONLY)
      #expect(again >= 0)
      close(again)
    }
    let found = try FileSystem.names(in: folder.url.path).map(NameKey.init).sorted()
    #expect(found == names.map { NameKey(FileName.text($0)) }.sorted())
    #expect(try FileSystem.kind(of: folder.url.path) == .folder)
    #expect(try FileSystem.kind(of: "/dev/null") == .other)
    for bytes in names {
      FileName.withCString(FilePath.joined(folder.url.path, FileName.text(bytes))) {
        #expect(unlink($0) == 0)
      }
    }
  }

  @Test func whatIsNotThereIsNothing() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("x", to: "file").path
    #expect(try FileSystem.kind(of: folder.path("none")) == nil)
    #expect(try FileSystem.kind(of: file + "/below") == nil)
    #expect(throws: SystemError(ENOENT, isOfFolder: true)) {
      try FileSystem.names(in: folder.path("none"))
    }
    let error = #expect(throws: SystemError.self) {
      try FileSystem.descriptor(of: folder.path("none"), flags: O_RDONLY)
    }
    #expect(error?.words == "No such file or directory" && error?.isAbsence == true)
    #expect(error?.isFailureOfSystem == false)
  }

  /// What a file that may not be read is to the sample, a folder that may not be entered is to all.
  @Test func forbiddenFoldersAreToldFromForbiddenFiles() throws {
    let folder = try TemporaryFolder()
    let inner = folder.path("inner")
    #expect(mkdir(inner, 0o700) == 0)
    let file = try folder.write("x", to: "inner/file").path
    defer { chmod(inner, 0o700) }
    chmod(file, 0)
    chmod(inner, 0o755)
    try FileAccess.ofNobody {
      let ofFile = #expect(throws: SystemError.self) {
        try FileSystem.descriptor(of: file, flags: O_RDONLY)
      }
      #expect(ofFile == SystemError(EACCES) && ofFile?.isFailureOfSystem == false)
    }
    chmod(inner, 0)
    try FileAccess.ofNobody {
      let ofFolder = #expect(throws: SystemError.self) {
        try FileSystem.descriptor(of: file, flags: O_RDONLY)
      }
      #expect(ofFolder?.isFailureOfSystem == true && ofFolder?.words == "Permission denied")
      #expect(ofFolder?.advice.contains("may not be entered") == true)
      #expect(throws: SystemError(EACCES, isOfFolder: true)) { try FileSystem.kind(of: file) }
      #expect(throws: SystemError(EACCES, isOfFolder: true)) { try FileSystem.names(in: inner) }
    }
  }

  @Test(arguments: [
    EMFILE, ENFILE, ENOMEM, EIO, ESTALE, ENOSPC, EDQUOT, ENODEV, ENXIO, ETIMEDOUT, EHOSTDOWN,
    ENOKEY,
  ])
  func failuresOfTheSystem(code: Int32) {
    let error = SystemError(code)
    #expect(error.isFailureOfSystem && !error.advice.isEmpty && !error.isAbsence)
    #expect(error.words == String(cString: strerror(code)))
  }

  @Test(arguments: [ENOENT, ENOTDIR, EACCES, EPERM, ELOOP, ENAMETOOLONG, EISDIR, EINVAL])
  func failuresOfOneFile(code: Int32) {
    #expect(!SystemError(code).isFailureOfSystem && SystemError(code).advice.isEmpty)
  }

  @Test(arguments: [
    ("/a/b.JPG", "/a", "b.JPG", "jpg", "/a/b"), ("b", ".", "b", "", "b"),
    ("/b.x", "/", "b.x", "x", "/b"),
    ("a.b/c", "a.b", "c", "", "a.b/c"), ("a/.hidden", "a", ".hidden", "", "a/.hidden"),
    ("a/\u{301}b.tar.gz", "a", "\u{301}b.tar.gz", "gz", "a/\u{301}b.tar"),
    ("a/", "a", "", "", "a/"),
    ("x.\u{301}jpg", ".", "x.\u{301}jpg", "\u{301}jpg", "x"),
  ])
  func partsOfPaths(
    _ path: String, _ folder: String, _ name: String, _ ending: String, _ rest: String
  ) {
    #expect(NameKey(FilePath.folder(of: path)) == NameKey(folder))
    #expect(NameKey(FilePath.name(of: path)) == NameKey(name))
    #expect(NameKey(FilePath.ending(of: path)) == NameKey(ending))
    #expect(NameKey(FilePath.withoutEnding(path)) == NameKey(rest))
  }

  @Test func whatIsNotThereIsAbsentAndCannotBeListed() throws {
    let folder = try TemporaryFolder()
    let absent = folder.path("absent")
    #expect(FileSystem.isAbsent(absent) && !FileSystem.isAbsent(folder.url.path))
    #expect(throws: SystemFailure("list", absent, SystemError(ENOENT, isOfFolder: true))) {
      try FileSystem.list(absent)
    }
    #expect("\(SystemError(ENOENT))" == "No such file or directory")
  }

  @Test func pathsAreJoinedAndMadeAbsolute() {
    #expect(FilePath.joined("/a", "b") == "/a/b" && FilePath.joined("/", "b") == "/b")
    #expect(
      FilePath.isAbsolute("/\u{301}") && !FilePath.isAbsolute("a") && !FilePath.isAbsolute(""))
    #expect(FilePath.absolute("/a") == "/a")
    #expect(FilePath.absolute("a") == FileManager.default.currentDirectoryPath + "/a")
    for (path, trimmed) in [("/", "/"), ("//", "/"), ("a//", "a"), ("é/", "é"), ("", "")] {
      #expect(FilePath.withoutEndingSlashes(path) == trimmed)
    }
  }
}
