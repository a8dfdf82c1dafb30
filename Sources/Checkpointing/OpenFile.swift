import CHDF5
import Files
import Foundation

/// An open file descriptor, closed with its last reference, whose failures are typed errors.
final class OpenFile {
  let url: URL
  private let descriptor: Int32

  /// Opens for reading. `O_NONBLOCK` keeps a named pipe from blocking; files ignore it.
  convenience init(reading url: URL) throws {
    try self.init(url, flags: O_RDONLY | O_NONBLOCK, operation: "open")
  }

  /// - Parameter operation: the verb of the error message.
  init(_ url: URL, flags: Int32, operation: String) throws {
    let descriptor = retryingInterrupted { open(url.path, flags | O_CLOEXEC, 0o666) }
    guard descriptor >= 0 else {
      let code = errno
      guard code != ENOENT || flags & O_CREAT != 0 else { throw CheckpointError.missing(url) }
      throw CheckpointError.system(operation: operation, url, code: code)
    }
    self.url = url
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// The length in bytes, or nil where this is no regular file.
  func regularFileLength() throws -> UInt64? {
    var status = stat()
    try check(fstat(descriptor, &status), "examine")
    return status.st_mode & S_IFMT == S_IFREG ? UInt64(clamping: status.st_size) : nil
  }

  /// Whether the path still leads to this file.
  var isNamed: Bool {
    var own = stat()
    var named = stat()
    return fstat(descriptor, &own) == 0 && lstat(url.path, &named) == 0
      && own.st_dev == named.st_dev && own.st_ino == named.st_ino
  }

  /// The bytes from `offset` on, fewer than `count` only at the end of the file.
  func read(count: Int, at offset: Int = 0) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      initializedCount = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
    }
  }

  /// The SHA-256 of the bytes from `offset` to the end, in one pass of large reads.
  func digest(from offset: Int) throws -> [UInt8] {
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 20, alignment: 4096)
    defer { chunk.deallocate() }
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    var hasher = SHA256()
    var position = offset
    while true {
      let count = try read(into: chunk, at: position)
      hasher.update(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
      position += count
      if count < chunk.count { return hasher.finalize() }
    }
  }

  func write(_ bytes: [UInt8], at offset: Int) throws {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        retryingInterrupted {
          pwrite(
            descriptor, UnsafeRawBufferPointer(rebasing: buffer[written...]).baseAddress,
            buffer.count - written, off_t(offset + written))
        }
      }
      try check(count, "write")
      written += count
    }
  }

  /// Reserves blocks for the first `byteCount` bytes without changing the file's length. File
  /// systems that cannot do this are let pass: there a full disk shows while writing.
  /// - Returns: an errno where there is no room, else nil.
  func reserve(byteCount: UInt64) throws -> Int32? {
    let result = retryingInterrupted {
      chdf5_reserve_blocks(descriptor, off_t(clamping: byteCount))
    }
    let code = errno
    if result == 0 || [EOPNOTSUPP, ENOSYS, EINVAL].contains(code) { return nil }
    if WriteFailure.codes.contains(code) { return code }
    throw CheckpointError.system(operation: "reserve space for", url, code: code)
  }

  /// Gives reserved blocks beyond the end of the file back.
  func releaseReserve() throws {
    var status = stat()
    try check(fstat(descriptor, &status), "examine")
    try check(retryingInterrupted { ftruncate(descriptor, status.st_size) }, "set the length of")
  }

  /// Returns once the bytes lie on the disk, and drops them from the page cache so that reading
  /// them again shows what the disk holds.
  func synchronizeAndForget() throws {
    try check(retryingInterrupted { fsync(descriptor) }, "synchronize")
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
  }

  /// Bytes free to this user on the file's volume, or nil where the volume does not say.
  func freeSpace() throws -> UInt64? {
    var status = statvfs()
    try check(fstatvfs(descriptor, &status), "examine the volume of")
    guard status.f_blocks > 0 else { return nil }
    return UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
      .partialValue
  }

  /// The longest file that this process may write, in bytes (`ulimit -f`).
  static func fileSizeLimit() -> UInt64 {
    var limit = rlimit()
    return getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0
      ? UInt64(limit.rlim_cur) : .max
  }

  /// Takes the exclusive advisory lock.
  /// - Returns: false where another open file holds it.
  func lockExclusively() throws -> Bool {
    guard retryingInterrupted({ flock(descriptor, LOCK_EX | LOCK_NB) }) != 0 else { return true }
    if errno == EWOULDBLOCK { return false }
    throw CheckpointError.system(operation: "lock", url, code: errno)
  }

  func truncate() throws {
    try check(retryingInterrupted { ftruncate(descriptor, 0) }, "truncate")
  }

  private func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let count = retryingInterrupted {
        pread(descriptor, rest.baseAddress, rest.count, off_t(offset + filled))
      }
      try check(count, "read")
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  private func check(_ result: some SignedInteger, _ operation: String) throws {
    if result < 0 { throw CheckpointError.system(operation: operation, url, code: errno) }
  }
}

/// The errnos that say that there is no room or that the device fails.
enum WriteFailure {
  static let codes: Set<Int32> = [ENOSPC, EDQUOT, EFBIG, EIO]
}

private func retryingInterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}
