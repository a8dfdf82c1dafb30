import Glibc

/// Moves files and folders of an earlier run out of the way without losing any.
public enum SetAside {
  /// Renames `path` to `path.superseded`, or `path.superseded-2` and so on where that is there.
  /// - Returns: The new name; nil where nothing lies at the path.
  /// - Throws: `SystemFailure`.
  @discardableResult
  public static func move(_ path: String) throws -> String? {
    guard FileSystem.status(ofName: path) != nil else { return nil }
    let target = freeName(for: path)
    guard rename(path, target) == 0 else { throw SystemFailure("rename", path) }
    return target
  }

  /// The first of these names that nothing has.
  public static func freeName(for path: String) -> String {
    var target = path + ".superseded"
    var number = 2
    while FileSystem.status(ofName: target) != nil {
      target = "\(path).superseded-\(number)"
      number += 1
    }
    return target
  }
}
