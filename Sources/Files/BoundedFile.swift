/// Reads whole files of bounded size.
public enum BoundedFile {
  /// The bytes of the regular file at `path`. A file that grows meanwhile is read up to the size it
  /// had.
  public static func contents(of path: String, limit: Int) throws(ReadFailure) -> [UInt8] {
    let file = try OpenFile(reading: path)
    guard file.size <= limit else {
      throw ReadFailure(path, .tooLarge(size: file.size, limit: limit))
    }
    return try file.bytes(at: 0, count: file.size)
  }

  /// The size in bytes of the regular file at `path`; nil where there is none.
  /// - Throws: `SystemError` where the system failed, so that nobody can say.
  public static func size(of path: String) throws(SystemError) -> Int? {
    do {
      guard case .file(let size) = try FileSystem.kind(of: path) else { return nil }
      return size
    } catch {
      if error.isFailureOfSystem { throw error }
      return nil
    }
  }
}
