import Foundation

/// The small text files in which Linux describes itself.
public enum SystemText {
  /// The first `limit` bytes of a file, or nil where it cannot be read.
  public static func read(_ path: String, limit: Int = 1 << 16) -> String? {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? file.close() }
    var bytes = Data()
    // Files under /proc come in pieces of a page.
    do {
      while bytes.count < limit,
        let piece = try file.read(upToCount: limit - bytes.count), !piece.isEmpty
      {
        bytes += piece
      }
    } catch {
      return nil
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The number alone in a file; nil where there is none, or a word such as "max".
  public static func number(_ path: String) -> Int? {
    read(path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  /// What follows `key` and a separator on the first line that begins with it.
  public static func value(of key: String, in text: String, separator: Character) -> String? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: separator, maxSplits: 1)
      guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == key else { continue }
      return parts[1].trimmingCharacters(in: .whitespaces)
    }
    return nil
  }
}
