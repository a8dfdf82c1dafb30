import Files
import Foundation

/// Reads whole files of bounded size.
enum BoundedFile {
  enum Failure: Error {
    /// The operating system refused.
    case system(SystemError)
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
  /// - Throws: `SystemError` where the system failed, so that nobody can say.
  static func size(of path: String) throws(SystemError) -> Int? {
    do {
      guard case .file(let size) = try FileSystem.kind(of: path) else { return nil }
      return size
    } catch {
      if error.isFailureOfSystem { throw error }
      return nil
    }
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
    let descriptor = try Self.descriptor(of: path)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let problem = SystemError()
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

  private static func descriptor(of path: String) throws -> Int32 {
    let flags = O_RDONLY | O_NONBLOCK
    do {
      do {
        return try FileSystem.descriptor(of: path, flags: flags)
      } catch  where error.code == EMFILE {
        // Shards that stay open for the next sample are worth less than this file.
        OpenFileCache.shared.closeIdle()
        return try FileSystem.descriptor(of: path, flags: flags)
      }
    } catch {
      // Sockets, and devices without a driver, have errors that disks have as well.
      if error.code == ENXIO || error.code == ENODEV,
        let kind = try? FileSystem.kind(of: path), kind == .other
      {
        throw BoundedFile.Failure.notRegular
      }
      throw BoundedFile.Failure.system(error)
    }
  }

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
          throw BoundedFile.Failure.system(SystemError())
        }
      }
    }
  }
}
