import Files
import Foundation

/// A run's hold on its folder: `flock` on `.lock`, let go with the last reference, and by the
/// kernel when the process ends in whatever way.
public final class FolderLock {
  /// The folder that is held.
  public let folder: URL
  private let file: OpenFile

  /// The file stays when the lock is let go: removing it would let two runs lock two files.
  init(_ folder: URL) throws {
    file = try FolderLock.locked(folder, flags: O_RDWR | O_CREAT)
    try file.setLength(0)
    try file.append(Array("\(getpid())\n".utf8))
    self.folder = folder
  }

  /// Makes sure that nobody holds the folder; nothing is written. (NFS locks only what is open for writing.)
  /// - Throws: `CheckpointError.folderLocked`.
  static func check(_ folder: URL) throws {
    do {
      _ = try locked(folder, flags: O_RDWR)
    } catch let failure as SystemFailure where failure.code == ENOENT {
      // No run was ever there.
    }
  }

  private static func locked(_ folder: URL, flags: Int32) throws -> OpenFile {
    let url = folder.appendingPathComponent(".lock")
    // Whoever may write to the folder could otherwise have any file emptied by a link.
    let file = try OpenFile(url.path, flags: flags | O_NOFOLLOW | O_NONBLOCK)
    guard file.isRegular else { throw SystemFailure("lock", url.path, code: EINVAL) }
    guard try file.lockExclusively() else {
      let text = String(decoding: try file.bytes(at: 0, count: 16), as: UTF8.self)
      let process = Int32(text.prefix { $0.isNumber })
      throw CheckpointError.folderLocked(folder, process: process)
    }
    return file
  }

  /// Whether the folder and the file that is locked are still where they were.
  public var isInPlace: Bool { file.isNamed() }
}
