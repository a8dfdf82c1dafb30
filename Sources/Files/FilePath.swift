import Foundation

/// The parts of paths, cut at bytes: to Swift `/` and a combining mark after it are one character.
public enum FilePath {
  private static let slash = UInt8(ascii: "/")
  private static let dot = UInt8(ascii: ".")

  public static func isAbsolute(_ path: String) -> Bool { path.utf8.first == slash }

  /// What follows the last slash.
  public static func name(of path: String) -> String {
    path.utf8.lastIndex(of: slash).map { String(path[path.utf8.index(after: $0)...]) } ?? path
  }

  /// What the path's last part lies in.
  public static func folder(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: slash) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// A name without slashes at its end; the root stays itself.
  public static func withoutEndingSlashes(_ path: String) -> String {
    var end = path.endIndex
    while end > path.startIndex {
      let last = path.utf8.index(before: end)
      guard path.utf8[last] == slash, last > path.startIndex else { break }
      end = last
    }
    return String(path[..<end])
  }

  /// A file's path below a folder.
  public static func joined(_ folder: String, _ name: String) -> String {
    folder.utf8.last == slash ? folder + name : "\(folder)/\(name)"
  }

  /// The letters after the last dot of the last part, in lower case; empty where there is none.
  public static func ending(of path: String) -> String {
    let name = name(of: path)
    guard let last = name.utf8.lastIndex(of: dot), last > name.startIndex else { return "" }
    return name[name.utf8.index(after: last)...].lowercased()
  }

  /// The path up to where ``ending(of:)`` begins, without the dot.
  public static func withoutEnding(_ path: String) -> String {
    guard !ending(of: path).isEmpty, let last = path.utf8.lastIndex(of: dot) else { return path }
    return String(path[..<last])
  }

  /// The path with the home folder for a `~` that stands for it: `$HOME`, or else the account's.
  public static func withHome(_ path: String) -> String {
    guard path.utf8.first == UInt8(ascii: "~"), path.utf8.count == 1 || path.hasPrefix("~/") else {
      return path
    }
    let account = getpwuid(getuid()).flatMap { $0.pointee.pw_dir }
    guard let home = [getenv("HOME"), account].lazy.compactMap({ $0 }).first(where: { $0[0] != 0 })
    else { return path }
    return withoutEndingSlashes(FileName.text(cString: home)) + path.dropFirst()
  }

  /// The path from the root on, seen from the process's folder; `~` is the home folder.
  public static func absolute(_ path: String) -> String {
    let path = withHome(path)
    guard !isAbsolute(path), let here = getcwd(nil, 0) else { return path }
    defer { free(here) }
    return joined(FileName.text(cString: here), path)
  }
}
