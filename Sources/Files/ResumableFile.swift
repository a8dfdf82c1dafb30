import Glibc

/// A file in the making, `NAME.part`, which takes its name when it is whole. It is open in one process
/// at a time, and a process that was killed leaves it for the next to go on with.
public final class ResumableFile {
  public static let pathExtension = "part"

  /// The name that it will have.
  public let target: String
  /// Where it lies.
  public let path: String
  public let file: OpenFile

  private init(_ target: String) throws(SystemFailure) {
    self.target = target
    path = "\(target).\(ResumableFile.pathExtension)"
    file = try OpenFile(path, flags: O_RDWR | O_CREAT | O_NONBLOCK | O_NOFOLLOW, operation: "write")
  }

  /// Opens the file that is to become `target`, or creates it, empty.
  /// - Returns: Nil while another process has it.
  /// - Throws: `SystemFailure`.
  public static func locked(for target: String) throws(SystemFailure) -> ResumableFile? {
    while true {
      let part = try ResumableFile(target)
      guard part.file.isRegular else { throw SystemFailure("write", part.path, code: EINVAL) }
      guard try part.file.lockExclusively() else { return nil }
      // Between opening and locking, another process may have finished or removed it.
      if part.file.isNamed() { return part }
    }
  }

  /// The bytes that it takes on the disk.
  public func allocatedByteCount() throws(SystemFailure) -> Int {
    Int(try file.status().st_blocks) * 512
  }

  /// Gives the file its name, in place of whatever had it, durably.
  /// - Throws: `SystemFailure`.
  public func finish() throws(SystemFailure) {
    try file.synchronize()
    try AtomicFile.rename(path, to: target)
  }

  /// Removes the file, which is not needed.
  public func remove() { _ = FileName.withCString(path) { unlink($0) } }
}
