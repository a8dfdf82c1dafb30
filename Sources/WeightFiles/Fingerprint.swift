import Files
import Foundation

/// SHA-256 digests that tell whether two runs used the same files.
public enum Fingerprint {
  /// The SHA-256 of the file's content: 64 lower-case hexadecimal digits.
  ///
  /// A digest found in `cache` under the file's path, size and modification time is returned
  /// without reading the file.
  /// - Throws: `WeightFileError.unreadable`, `.notARegularFile` or `.changedWhileReading`.
  public static func ofFile(_ url: URL, cache: FingerprintCache = .shared) throws -> String {
    let path = url.path
    // Opening a pipe would otherwise wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw WeightFileError.unreadable(file: path, reason: SystemError.current)
    }
    defer { close(descriptor) }
    let state = try FileState(descriptor: descriptor, path: path)
    let key = url.resolvingSymlinksInPath().path
    if let known = cache.digest(of: key, in: state) { return known }
    let digest = try digest(of: descriptor, path: path)
    guard try FileState(descriptor: descriptor, path: path) == state else {
      throw WeightFileError.changedWhileReading(file: path)
    }
    cache.store(digest, of: key, in: state)
    return digest
  }

  /// One SHA-256 for several files of a folder: that of the lines `digest  name`, in the order of
  /// the names, as `sha256sum` prints them.
  ///
  /// - Throws: As `ofFile(_:cache:)`.
  public static func ofFiles(
    named names: [String], in folder: URL, cache: FingerprintCache = .shared
  ) throws -> String {
    var hash = SHA256()
    for name in names.sorted() {
      let digest = try ofFile(folder.appendingPathComponent(name), cache: cache)
      hash.update("\(digest)  \(name)\n")
    }
    return hash.finalize().hexadecimal
  }

  private static func digest(of descriptor: Int32, path: String) throws -> String {
    var hash = SHA256()
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { chunk.deallocate() }
    while true {
      let count = read(descriptor, chunk.baseAddress, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw WeightFileError.unreadable(file: path, reason: SystemError.current)
      }
      if count == 0 { return hash.finalize().hexadecimal }
      hash.update(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
    }
  }
}

/// What must be unchanged for a digest to hold still.
struct FileState: Equatable {
  let size: Int64
  /// Nanoseconds since 1970; wraps for years far from now, which does no harm.
  let modified: Int64

  init(size: Int64, modified: Int64) {
    self.size = size
    self.modified = modified
  }

  init(descriptor: Int32, path: String) throws {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw WeightFileError.unreadable(file: path, reason: SystemError.current)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw WeightFileError.notARegularFile(file: path)
    }
    size = Int64(status.st_size)
    modified = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
  }
}
