import CPlatform
import Glibc

/// A file that is open, closed with its last reference. Interrupted calls are repeated, and what
/// the system refuses is a `SystemFailure` that names the file.
public final class OpenFile: Sendable {
  /// The name that errors give it.
  public let path: String
  /// The bytes that it had when it was opened.
  public let size: Int
  /// Whether it is neither a folder, a pipe, a socket nor a device.
  public let isRegular: Bool
  private let descriptor: Int32

  /// Opens a file for any use.
  /// - Parameters:
  ///   - flags: As of `open(2)`; `O_CLOEXEC` is added.
  ///   - operation: The verb of the error.
  ///   - shown: The name for errors, where that is another.
  /// - Throws: `SystemFailure`.
  public convenience init(
    _ path: String, flags: Int32, operation: String = "open", shown: String? = nil
  ) throws(SystemFailure) {
    do throws(SystemError) {
      try self.init(path, flags: flags, shown: shown ?? path)
    } catch {
      throw SystemFailure(operation, shown ?? path, error)
    }
  }

  /// Opens a regular file for reading. Looks before anything is read and does not block, so that a
  /// pipe or a device among other files cannot hang the reader.
  /// - Throws: ``ReadFailure``.
  public convenience init(reading path: String) throws(ReadFailure) {
    do throws(SystemError) {
      try self.init(path, flags: O_RDONLY | O_NONBLOCK, shown: path)
    } catch {
      // Sockets, and devices without a driver, have errors that disks have as well.
      if error.code == ENXIO || error.code == ENODEV, (try? FileSystem.kind(of: path)) == .other {
        throw ReadFailure(path, .notRegular)
      }
      throw ReadFailure(path, .system(error))
    }
    guard isRegular else { throw ReadFailure(path, .notRegular) }
  }

  private init(_ path: String, flags: Int32, shown: String) throws(SystemError) {
    descriptor = try FileSystem.descriptor(of: path, flags: flags)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = SystemError()
      close(descriptor)
      throw error
    }
    self.path = shown
    size = Int(status.st_size)
    isRegular = status.st_mode & S_IFMT == S_IFREG
  }

  deinit { close(descriptor) }

  // MARK: What it is

  /// - Throws: `SystemFailure`.
  public func status() throws(SystemFailure) -> stat {
    var status = stat()
    try check(fstat(descriptor, &status), "examine")
    return status
  }

  /// The length in bytes, as it is now.
  public func length() throws(SystemFailure) -> Int { Int(try status().st_size) }

  /// Whether its path still leads to this file and to no link.
  public func isNamed() -> Bool {
    guard let own = try? status(), let named = FileSystem.status(ofName: path) else { return false }
    return own.st_dev == named.st_dev && own.st_ino == named.st_ino
  }

  /// Bytes free to this user on the file's volume, or nil where the volume does not say.
  public func freeSpace() throws(SystemFailure) -> UInt64? {
    var status = statvfs()
    try check(fstatvfs(descriptor, &status), "examine the volume of")
    guard status.f_blocks > 0 else { return nil }
    return UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
      .partialValue
  }

  /// The longest file that this process may write, in bytes (`ulimit -f`).
  public static func sizeLimit() -> UInt64 {
    var limit = rlimit()
    return getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0
      ? UInt64(limit.rlim_cur) : .max
  }

  // MARK: Reading

  /// Says that small pieces far apart will be read, so that the system reads no more than these.
  public func expectScatteredReads() { posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM) }

  /// Up to `count` bytes from a place on, fewer only where the file ends.
  /// - Precondition: The caller has bounded `count`.
  public func bytes(at offset: Int, count: Int) throws(ReadFailure) -> [UInt8] {
    var result = Result<Int, ReadFailure>.success(0)
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      result = Result { () throws(ReadFailure) in
        try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
      }
      filled = (try? result.get()) ?? 0
    }
    _ = try result.get()
    return bytes
  }

  /// The bytes that follow the last read, as of a pipe too: all up to the end, `limit` at most.
  public func nextBytes(limit: Int) throws(SystemFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < limit {
      let count = Glibc.read(descriptor, &chunk, min(chunk.count, limit - bytes.count))
      if count == 0 { break }
      if count > 0 { bytes += chunk[..<count] } else if errno != EINTR { throw failure("read") }
    }
    return bytes
  }

  /// All bytes as memory, read when they are touched; nil where the system refuses.
  func mapped() -> UnsafeMutableRawPointer? {
    let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
    return start == MAP_FAILED ? nil : start
  }

  /// The SHA-256 of the bytes from `offset` to the end, in one pass of large reads.
  public func digest(from offset: Int) throws(ReadFailure) -> [UInt8] {
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

  private func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(ReadFailure) -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + filled))
      if count == 0 { break }
      if count > 0 {
        filled += count
      } else if errno != EINTR {
        throw ReadFailure(path, .system(SystemError()))
      }
    }
    return filled
  }

  // MARK: Writing

  /// Writes all of `bytes` from a place on.
  public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemFailure) {
    var written = 0
    while written < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
      let count = pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + written))
      if count > 0 { written += count } else if errno != EINTR { throw failure("write") }
    }
  }

  /// Appends all of `bytes` where the file's last write ended.
  public func append(_ bytes: UnsafeRawBufferPointer) throws(SystemFailure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      rest = rest.dropFirst(try appendSome(UnsafeRawBufferPointer(rebasing: rest)))
    }
  }

  /// Appends those of the first bytes that the system takes at once.
  /// - Returns: How many, at least one.
  func appendSome(_ bytes: UnsafeRawBufferPointer) throws(SystemFailure) -> Int {
    while true {
      let count = Glibc.write(descriptor, bytes.baseAddress, bytes.count)
      if count > 0 { return count }
      if errno != EINTR { throw failure("write") }
    }
  }

  public func append(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try append($0) } }

  /// Cuts the file, or lengthens it by zeros that take no room yet.
  public func setLength(_ length: Int) throws(SystemFailure) {
    try check(ftruncate(descriptor, off_t(length)), "set the length of")
  }

  /// Reserves blocks for the first `byteCount` bytes without changing the file's length. File
  /// systems that cannot do this are let pass: there a full disk shows while writing.
  public func reserve(byteCount: UInt64) throws(SystemFailure) {
    while cplatform_reserve_blocks(descriptor, off_t(clamping: byteCount)) != 0 {
      if errno == EINTR { continue }
      if [EOPNOTSUPP, ENOSYS, EINVAL].contains(errno) { return }
      throw failure("reserve space for")
    }
  }

  /// Returns once everything written lies on the disk.
  /// - Parameter forgetting: Whether the page cache drops it, so that reading shows what the disk holds.
  public func synchronize(forgetting: Bool = false) throws(SystemFailure) {
    try check(fsync(descriptor), "synchronize")
    if forgetting { posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }
  }

  /// Takes the exclusive advisory lock.
  /// - Returns: False where another open file holds it.
  public func lockExclusively() throws(SystemFailure) -> Bool {
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return false }
      if errno != EINTR { throw failure("lock") }
    }
    return true
  }

  private func check(_ result: Int32, _ operation: String) throws(SystemFailure) {
    if result < 0 { throw failure(operation) }
  }

  private func failure(_ operation: String) -> SystemFailure { SystemFailure(operation, path) }
}
