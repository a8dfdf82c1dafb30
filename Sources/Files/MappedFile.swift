import Glibc

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

  /// Maps the file at `path`; symbolic links are followed.
  /// - Throws: ``ReadFailure``.
  public init(_ path: String) throws(ReadFailure) {
    let file = try OpenFile(reading: path)
    guard file.size > 0 else { throw ReadFailure(path, .empty) }
    guard let start = file.mapped() else { throw ReadFailure(path, .system(SystemError())) }
    self.path = path
    bytes = UnsafeRawBufferPointer(start: start, count: file.size)
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
