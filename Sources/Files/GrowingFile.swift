import Glibc

/// A file that only grows: a record of numbers that a long run keeps.
///
/// What the system does not take now, for want of room or because the file or its folder was removed,
/// waits in memory and goes with the next bytes: a run is not to end for want of its log.
public final class GrowingFile {
  private var file: OpenFile
  private var waiting: [UInt8] = []
  /// Why bytes are waiting; the first reason since all went well.
  public private(set) var failure: SystemFailure?

  public var path: String { file.path }

  /// - Parameter mustBeNew: Whether a file of that name is another's.
  /// - Throws: `SystemFailure`; links are not followed.
  public init(_ path: String, mustBeNew: Bool = false) throws {
    file = try GrowingFile.opened(path, flags: mustBeNew ? O_EXCL : 0)
  }

  /// Appends bytes, or keeps them until the system takes them.
  /// - Returns: Why they wait, where that has just begun.
  @discardableResult
  public func append(_ bytes: some Sequence<UInt8>) -> SystemFailure? {
    let wasWell = failure == nil
    waiting += bytes
    do {
      try reopenIfRemoved()
      while !waiting.isEmpty {
        waiting.removeFirst(try waiting.withUnsafeBytes { try file.appendSome($0) })
      }
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
    file = try GrowingFile.opened(path, flags: O_EXCL)
    flush()
  }

  /// Tries once more to write what waits.
  /// - Returns: Why some still does; nil where all is written.
  @discardableResult
  public func flush() -> SystemFailure? {
    append([])
    return failure
  }

  private static func opened(_ path: String, flags: Int32) throws -> OpenFile {
    try OpenFile(path, flags: O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | flags)
  }

  private func reopenIfRemoved() throws {
    if file.isNamed() { return }
    // With its folder, where only that is missing. A file that is there now is another's.
    _ = FileName.withCString(FilePath.folder(of: path)) { mkdir($0, 0o777) }
    file = try GrowingFile.opened(path, flags: O_EXCL)
  }
}
