import Files
import Foundation

/// A folder that gets its name when all that belongs in it has been written.
final class UnfinishedFolder {
  let path: String
  private let output: String
  private var isFinished = false

  /// - Throws: `DatasetError.outputExists` where there is something other than an empty folder.
  init(becoming output: URL) throws {
    self.output = output.standardizedFileURL.path
    try Self.checkRoom(self.output)
    try Self.create(FilePath.folder(of: self.output), for: self.output)
    var template = FileName.bytes("\(self.output).unfinished-XXXXXX") + [0]
    let isMade = template.withUnsafeMutableBytes { bytes in
      bytes.assumingMemoryBound(to: CChar.self).baseAddress.map { mkdtemp($0) != nil } ?? false
    }
    guard isMade else { throw Self.systemError(self.output) }
    path = FileName.text(template.dropLast())
  }

  /// - Throws: Where something is there, or nobody can say.
  private static func checkRoom(_ output: String) throws {
    do {
      switch try FileSystem.kind(of: output) {
      case nil: break
      case .folder where try FileSystem.names(in: output).isEmpty: break
      default: throw DatasetError.outputExists(folder: output)
      }
    } catch let error as SystemError {
      throw DatasetError.unwritable(file: output, detail: error.words)
    }
  }

  /// Creates a folder and those that it lies in.
  private static func create(_ folder: String, for output: String) throws {
    if try SourceLocation.kind(of: folder) == .folder { return }
    let above = FilePath.folder(of: folder)
    if above != folder { try create(above, for: output) }
    guard FileName.withCString(folder, { mkdir($0, 0o777) }) == 0 || errno == EEXIST else {
      throw systemError(output)
    }
  }

  func finish() throws {
    guard FileName.withCString(path, { chmod($0, 0o755) }) == 0 else {
      throw Self.systemError(output)
    }
    try Self.synchronize(path)
    // An empty folder is replaced, anything else refuses.
    let status = FileName.withCString(path) { path in
      FileName.withCString(output) { rename(path, $0) }
    }
    guard status == 0 else {
      if [ENOTEMPTY, EEXIST, ENOTDIR].contains(errno) {
        throw DatasetError.outputExists(folder: output)
      }
      throw Self.systemError(output)
    }
    isFinished = true
    try Self.synchronize(FilePath.folder(of: output))
  }

  /// What was begun and came to nothing is of no use to anybody.
  func removeUnlessFinished() {
    guard !isFinished else { return }
    for name in (try? FileSystem.names(in: path)) ?? [] {
      _ = FileName.withCString(FilePath.joined(path, name)) { unlink($0) }
    }
    _ = FileName.withCString(path) { rmdir($0) }
  }

  /// Makes sure of the disk, without which a name may outlive a crash and what it names may not.
  private static func synchronize(_ folder: String) throws {
    let descriptor: Int32
    do {
      descriptor = try FileSystem.descriptor(of: folder, flags: O_RDONLY | O_DIRECTORY)
    } catch {
      throw DatasetError.unwritable(file: folder, detail: error.words)
    }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw systemError(folder) }
  }

  private static func systemError(_ file: String) -> DatasetError {
    .unwritable(file: file, detail: SystemError().words)
  }
}
