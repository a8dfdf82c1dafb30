import Foundation

/// A file in the making, `NAME.part`, which takes its name when it is whole. It is open in one process
/// at a time, and a process that was killed leaves it for the next to go on with.
package final class PartFile {
  package static let pathExtension = "part"

  /// The name that it will have.
  package let target: URL
  /// Where it lies.
  package let url: URL
  private let descriptor: Int32

  private init(_ target: URL, at url: URL, _ descriptor: Int32) {
    self.target = target
    self.url = url
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Opens the file that is to become `target`, or creates it, empty.
  /// - Returns: Nil while another process has it.
  /// - Throws: `RunError.cannotWrite`.
  package static func locked(for target: URL) throws -> PartFile? {
    let url = target.appendingPathExtension(pathExtension)
    while true {
      let descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0o666)
      guard descriptor >= 0 else { throw failure(url) }
      let file = PartFile(target, at: url, descriptor)
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        if errno == EWOULDBLOCK { return nil }
        throw file.failure()
      }
      let own = try file.status()
      guard own.st_mode & S_IFMT == S_IFREG else {
        throw RunError.cannotWrite(file: url.path, reason: "it is a folder, a pipe or a device")
      }
      // Between opening and locking, another process may have finished or removed it.
      var named = stat()
      if stat(url.path, &named) == 0, named.st_dev == own.st_dev, named.st_ino == own.st_ino {
        return file
      }
    }
  }

  package func length() throws -> Int { Int(try status().st_size) }

  /// The bytes that it takes on the disk.
  package func allocatedByteCount() throws -> Int { Int(try status().st_blocks) * 512 }

  /// Cuts the file, or lengthens it by zeros that take no room yet.
  package func setLength(_ length: Int) throws {
    guard ftruncate(descriptor, off_t(length)) == 0 else { throw failure() }
  }

  /// The bytes from `offset` on, fewer than `count` only at the end of the file.
  package func read(count: Int, at offset: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let rest = UnsafeMutableBufferPointer(rebasing: buffer[filled..<count])
        let result = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + filled))
        if result < 0 && errno == EINTR { continue }
        guard result >= 0 else { throw failure() }
        if result == 0 { break }
        filled += result
      }
    }
  }

  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
    var written = 0
    while written < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
      let result = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + written))
      if result < 0 && errno == EINTR { continue }
      guard result > 0 else { throw failure() }
      written += result
    }
  }

  /// Returns once everything written lies on the disk.
  package func synchronize() throws {
    guard fsync(descriptor) == 0 else { throw failure() }
  }

  /// Gives the file its name, in place of whatever had it, durably.
  package func finish() throws {
    try synchronize()
    guard rename(url.path, target.path) == 0 else { throw failure() }
    // Some file systems cannot synchronise a folder; the file is whole either way.
    let folder = open(
      url.deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }

  /// Removes the file, which is not needed.
  package func remove() { unlink(url.path) }

  private func status() throws -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure() }
    return status
  }

  private func failure() -> RunError { PartFile.failure(url) }

  private static func failure(_ url: URL) -> RunError {
    .cannotWrite(file: url.path, reason: String(cString: strerror(errno)))
  }
}
