import Foundation

/// A whole file mapped into memory, read-only, for as long as the object lives.
///
/// Pages are read when they are first touched, so opening costs nothing however large the file is.
/// The mapping is private: this program never changes the file. Another program that cuts the file
/// short while it is mapped makes the system stop this one (SIGBUS), as with every memory map, so
/// files in use must be replaced by renaming, not overwritten.
public final class MappedFile: @unchecked Sendable {  // Unchecked: immutable after `init`.
  /// The path the file was opened by, for messages.
  public let path: String
  /// All bytes of the file; never empty. Valid while this object lives, and Swift
  /// may release a variable after its last use: prefer `withBytes(_:)`, or keep the object beside them.
  public let bytes: UnsafeRawBufferPointer

  /// Maps the file at `url`; symbolic links are followed.
  ///
  /// - Throws: `WeightFileError.unreadable`, `.notARegularFile` or `.emptyFile`.
  public init(_ url: URL) throws {
    path = url.path
    // Opening a pipe would otherwise wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw WeightFileError.unreadable(file: path, reason: SystemError.current)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw WeightFileError.unreadable(file: path, reason: SystemError.current)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw WeightFileError.notARegularFile(file: path)
    }
    guard status.st_size > 0 else { throw WeightFileError.emptyFile(file: path) }
    let size = Int(status.st_size)
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
    else { throw WeightFileError.unreadable(file: path, reason: SystemError.current) }
    bytes = UnsafeRawBufferPointer(start: start, count: size)
  }

  /// Calls `body` with all bytes, which stay mapped until it returns.
  public func withBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(self) { try body(bytes) }
  }

  deinit {
    munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
  }
}

/// The wording of `errno`.
enum SystemError {
  static var current: String { String(cString: strerror(errno)) }
}
