import Glibc

/// A file that only grows: a record of numbers that a long run keeps.
///
/// What the system does not take now, for want of room or because the file or its folder was removed,
/// waits in memory and goes with the next bytes: a run is not to end for want of its log.
public final class GrowingFile {
  public private(set) var path: String
  private var descriptor: Int32
  private var waiting: [UInt8] = []
  /// Why bytes are waiting; the first reason since all went well.
  public private(set) var failure: SystemFailure?

  /// - Parameter mustBeNew: Whether a file of that name is another's.
  /// - Throws: `SystemFailure`; links are not followed.
  public init(_ path: String, mustBeNew: Bool = false) throws {
    self.path = path
    descriptor = try GrowingFile.opened(path, flags: mustBeNew ? O_EXCL : 0)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Appends bytes, or keeps them until the system takes them.
  /// - Returns: Why they wait, where that has just begun.
  @discardableResult
  public func append(_ bytes: some Sequence<UInt8>) -> SystemFailure? {
    let wasWell = failure == nil
    waiting += bytes
    do {
      try reopenIfRemoved()
      try writeWaiting()
      failure = nil
      return nil
    } catch {
      let failure = error as? SystemFailure ?? SystemFailure("write", path, code: EIO)
      if wasWell { self.failure = failure }
      return wasWell ? failure : nil
    }
  }

  /// Goes on in another file, for good: what waits is written there.
  /// - Throws: `SystemFailure`.
  public func move(to path: String) throws {
    let other = try GrowingFile.opened(path, flags: O_EXCL)
    if descriptor >= 0 { close(descriptor) }
    descriptor = other
    self.path = path
    flush()
  }

  /// Tries once more to write what waits.
  /// - Returns: Why some still does; nil where all is written.
  @discardableResult
  public func flush() -> SystemFailure? {
    append([])
    return failure
  }

  private static func opened(_ path: String, flags: Int32) throws -> Int32 {
    let all = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags
    let descriptor = open(path, all, 0o644)
    guard descriptor >= 0 else { throw SystemFailure("open", path) }
    return descriptor
  }

  private func reopenIfRemoved() throws {
    var own = stat()
    var named = stat()
    if descriptor >= 0, fstat(descriptor, &own) == 0, own.st_nlink > 0 {
      // Another file may have taken its name.
      if lstat(path, &named) == 0, named.st_ino == own.st_ino, named.st_dev == own.st_dev { return }
    }
    // With its folder, where only that is missing. A file that is there now is another's.
    if let slash = path.lastIndex(of: "/") { mkdir(String(path[..<slash]), 0o777) }
    let again = try GrowingFile.opened(path, flags: O_EXCL)
    if descriptor >= 0 { close(descriptor) }
    descriptor = again
  }

  private func writeWaiting() throws {
    var written = 0
    defer { waiting.removeFirst(written) }
    while written < waiting.count {
      let count = waiting[written...].withUnsafeBytes {
        write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw SystemFailure("write", path) }
      written += count
    }
  }
}
