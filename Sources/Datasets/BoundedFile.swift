import Foundation

/// Reads whole files of bounded size.
enum BoundedFile {
  enum Failure: Error {
    /// The operating system's words.
    case system(String)
    case notRegular
    case tooLarge(Int)
  }

  /// The bytes of the regular file at `path`. A file that grows meanwhile is read up to the size it
  /// had.
  static func contents(of path: String, limit: Int) throws -> [UInt8] {
    let file = try OpenFile(path)
    guard file.size <= limit else { throw Failure.tooLarge(file.size) }
    return try file.bytes(at: 0, count: file.size)
  }

  /// The size in bytes of the regular file at `path`; nil where there is none.
  static func size(of path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }
}

/// A regular file that is open for reading; closed when the last user lets go.
final class OpenFile: Sendable {
  private let descriptor: Int32
  /// The bytes it had when it was opened.
  let size: Int

  /// Opens without blocking and looks before anything is read, so that a pipe or a device in a
  /// folder of pictures cannot hang the reader.
  /// - Throws: ``BoundedFile/Failure``.
  init(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw BoundedFile.Failure.system(Self.lastSystemError()) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let problem = Self.lastSystemError()
      close(descriptor)
      throw BoundedFile.Failure.system(problem)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw BoundedFile.Failure.notRegular
    }
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Says that small pieces far apart will be read, so that the system reads no more than these.
  func expectScatteredReads() { posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM) }

  /// Up to `count` bytes from a place on, fewer only where the file ends.
  /// - Precondition: The caller has bounded `count`.
  func bytes(at offset: Int, count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count, let base = buffer.baseAddress {
        let got = pread(descriptor, base + filled, count - filled, off_t(offset + filled))
        if got == 0 { break }
        if got > 0 {
          filled += got
        } else if errno != EINTR {
          throw BoundedFile.Failure.system(Self.lastSystemError())
        }
      }
    }
  }

  private static func lastSystemError() -> String { String(cString: strerror(errno)) }
}
