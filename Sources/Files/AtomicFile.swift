import Glibc

/// Writing a file so that its path shows either the old content or all of the new one, even where
/// the machine stops half-way: a temporary file beside it, `fsync`, then a rename.
///
/// A link at the path is replaced, and what it leads to stays as it is.
public enum AtomicFile {
  /// Creates or replaces the file at `path` with what `body` writes.
  ///
  /// - Throws: `SystemFailure` that names `path`, or what `body` throws; the temporary file is removed.
  public static func replace(_ path: String, with body: (Output) throws -> Void) throws {
    let token = UInt64.random(in: .min ... .max)
    let (folder, name) = parts(path)
    let temporary = "\(folder)/.\(name).\(String(token, radix: 16)).tmp"
    let output = try Output(creating: temporary, for: path)
    do {
      defer { close(output.descriptor) }
      try body(output)
      guard fsync(output.descriptor) == 0 else { throw output.failure() }
      guard rename(temporary, path) == 0 else { throw output.failure() }
    } catch {
      unlink(temporary)
      throw error
    }
    synchronize(folder: folder)
  }

  /// Creates or replaces the file at `path` with these bytes.
  /// - Throws: `SystemFailure`.
  public static func write(_ bytes: some Collection<UInt8>, to path: String) throws {
    try replace(path) { output in
      try Array(bytes).withUnsafeBytes { try output.append($0) }
    }
  }

  private static func parts(_ path: String) -> (folder: String, name: Substring) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path[...]) }
    let folder = path[..<slash]
    return (folder.isEmpty ? "/" : String(folder), path[path.index(after: slash)...])
  }

  /// Makes the rename itself durable. Some file systems cannot; the file is whole either way.
  private static func synchronize(folder: String) {
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  /// The open temporary file.
  public struct Output {
    fileprivate let descriptor: Int32
    private let path: String

    fileprivate init(creating temporary: String, for path: String) throws {
      self.path = path
      descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
      guard descriptor >= 0 else { throw failure() }
    }

    /// Appends all of `bytes`.
    /// - Throws: `SystemFailure`.
    public func append(_ bytes: UnsafeRawBufferPointer) throws {
      var rest = bytes[...]
      while !rest.isEmpty {
        let chunk = UnsafeRawBufferPointer(rebasing: rest)
        let written = Glibc.write(descriptor, chunk.baseAddress, chunk.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw failure() }
        rest = rest.dropFirst(written)
      }
    }

    fileprivate func failure() -> SystemFailure { SystemFailure("write", path) }
  }
}
