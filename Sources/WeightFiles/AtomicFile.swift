import Foundation

/// Writing a file so that its path shows either the old content or all of the new one, even where
/// the machine stops half-way: a temporary file beside it, `fsync`, then a rename.
enum AtomicFile {
  /// Creates or replaces the file at `url` with what `body` writes.
  ///
  /// - Throws: `WeightFileError.unwritable`, or what `body` throws; the temporary file is removed.
  static func replace(_ url: URL, with body: (Output) throws -> Void) throws {
    let token = UInt64.random(in: .min ... .max)
    let temporary = url.deletingLastPathComponent().appendingPathComponent(
      ".\(url.lastPathComponent).\(String(token, radix: 16)).tmp")
    let output = try Output(creating: temporary.path, for: url.path)
    do {
      defer { close(output.descriptor) }
      try body(output)
      guard fsync(output.descriptor) == 0 else { throw output.failure() }
      guard rename(temporary.path, url.path) == 0 else { throw output.failure() }
    } catch {
      unlink(temporary.path)
      throw error
    }
    synchronizeFolder(of: url)
  }

  /// Makes the rename itself durable. Some file systems cannot; the file is whole either way.
  private static func synchronizeFolder(of url: URL) {
    let folder = open(url.deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }

  /// The open temporary file.
  struct Output {
    fileprivate let descriptor: Int32
    private let path: String

    fileprivate init(creating temporary: String, for path: String) throws {
      self.path = path
      descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { throw failure() }
    }

    /// Appends all of `bytes`.
    func append(_ bytes: UnsafeRawBufferPointer) throws {
      var rest = bytes[...]
      while !rest.isEmpty {
        let chunk = UnsafeRawBufferPointer(rebasing: rest)
        let written = write(descriptor, chunk.baseAddress, chunk.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw failure() }
        rest = rest.dropFirst(written)
      }
    }

    fileprivate func failure() -> WeightFileError {
      .unwritable(file: path, reason: SystemError.current)
    }
  }
}
