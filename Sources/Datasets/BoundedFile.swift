import Foundation

/// Reads whole files of bounded size.
enum BoundedFile {
  enum Failure: Error {
    /// The operating system's words.
    case system(String)
    case notRegular
    case tooLarge(Int)
  }

  /// The bytes of the regular file at `path`.
  ///
  /// The file is opened without blocking and looked at before it is read, so that a pipe or a
  /// device in a folder of pictures cannot hang the reader. A file that grows meanwhile is read up
  /// to the size it had.
  static func contents(of path: String, limit: Int) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure.system(lastSystemError()) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Failure.system(lastSystemError()) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw Failure.notRegular }
    let size = Int(status.st_size)
    guard size <= limit else { throw Failure.tooLarge(size) }
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        guard let base = buffer.baseAddress else { break }
        let got = read(descriptor, base + count, size - count)
        if got == 0 { break }
        if got > 0 {
          count += got
        } else if errno != EINTR {
          throw Failure.system(lastSystemError())
        }
      }
    }
  }

  /// The size in bytes of the regular file at `path`; nil where there is none.
  static func size(of path: String) -> Int? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }

  private static func lastSystemError() -> String { String(cString: strerror(errno)) }
}
