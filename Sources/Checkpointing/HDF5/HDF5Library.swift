import CHDF5
import Foundation

/// The way into HDF5.
///
/// The library keeps global state and is built with or without thread safety, so every call is
/// made inside `locked`: one thread at a time in the whole process. The lock is recursive, as the
/// values of an array being written may be read from another checkpoint.
enum HDF5Library {
  private static let lock = NSRecursiveLock()

  /// Before its first call, keeps the library from cleaning up when the process ends: after a
  /// write that failed, as on a full disk, that crashes (1.10.8).
  private static let prepared = H5dont_atexit()

  static func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
    lock.lock()
    defer { lock.unlock() }
    _ = prepared
    chdf5_silence_errors()
    return try body()
  }

  /// Passes on what a call returned.
  /// - Throws: where that is negative, the library's own innermost message.
  @discardableResult
  static func check<Result: SignedInteger>(
    _ result: Result, _ operation: @autoclosure () -> String, _ file: URL
  ) throws -> Result {
    guard result < 0 else { return result }
    throw CheckpointError.library(
      operation: operation(), file, message: innermostMessage())
  }

  /// How files are opened: without the library's own lock on them. It would pass to any process
  /// started meanwhile and keep the file from being opened again; and some file systems have no
  /// locks. `FolderLock` keeps runs apart, and files under their final name never change.
  static func fileAccess(_ file: URL) throws -> HDF5Handle {
    let access = try HDF5Handle(
      H5Pcreate(chdf5_class_file_access()), closedBy: H5Pclose, "make properties", file)
    try check(H5Pset_file_locking(access.identifier, false, true), "leave locks out", file)
    return access
  }

  private static func innermostMessage() -> String {
    var message = [CChar](repeating: 0, count: 1024)
    chdf5_innermost_error(&message)
    let bytes = message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    // The library puts a line break behind times.
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").joined()
  }
}

/// An HDF5 identifier, closed when it goes out of scope.
struct HDF5Handle: ~Copyable {
  let identifier: hid_t
  private let close: @convention(c) (hid_t) -> herr_t

  /// - Throws: the library's message where `identifier` is negative.
  init(
    _ identifier: hid_t, closedBy close: @escaping @convention(c) (hid_t) -> herr_t,
    _ operation: @autoclosure () -> String, _ file: URL
  ) throws {
    self.identifier = try HDF5Library.check(identifier, operation(), file)
    self.close = close
  }

  deinit {
    let (identifier, close) = (identifier, close)
    HDF5Library.locked { _ = close(identifier) }
  }

  /// Closes now. Needed where closing writes, and so can fail.
  consuming func closeChecked(_ operation: String, _ file: URL) throws {
    let (identifier, close) = (identifier, close)
    discard self
    try HDF5Library.check(close(identifier), operation, file)
  }
}
