import Foundation

/// SHA-256 digests that tell whether two runs used the same files.
public enum Fingerprint {
  /// The SHA-256 of the file's content: 64 lower-case hexadecimal digits.
  ///
  /// A digest found in `cache` under the file's path, size and modification time is returned
  /// without reading the file.
  /// - Throws: ``ReadFailure``.
  public static func ofFile(_ url: URL, cache: FingerprintCache = .shared) throws -> String {
    let file = try OpenFile(reading: url.path)
    let state = try FileState(file)
    let key = url.resolvingSymlinksInPath().path
    if let known = cache.digest(of: key, in: state) { return known }
    let digest = try file.digest(from: 0).hexadecimal
    guard try FileState(file) == state else { throw ReadFailure(url.path, .changed) }
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

  /// The same of those files in a folder whose names are taken.
  /// - Throws: Also `SystemFailure`, where the folder cannot be read.
  public static func ofFiles(
    in folder: URL, where isTaken: (_ name: String) -> Bool
  ) throws -> String {
    try ofFiles(named: FileSystem.list(folder.path).filter(isTaken), in: folder)
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

  init(_ file: OpenFile) throws {
    let status = try file.status()
    size = Int64(status.st_size)
    modified = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
  }
}
