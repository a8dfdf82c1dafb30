import Foundation

/// Relative paths: those of a recipe count from the folder in which the program is called.
public enum WorkingFolder {
  public static var path: String { FileManager.default.currentDirectoryPath }

  /// Says so, after an error's words, where a relative path leads to nothing.
  public static func hint(for path: String) -> String {
    // A pattern is no file's name.
    let isPattern = path.contains { "*?[{".contains($0) }
    if isPattern || path.hasPrefix("/") || (try? FileSystem.kind(of: path)) != nil { return "" }
    return "; relative paths count from the working folder, \(self.path)"
  }
}

/// Files that come with the program: they lie in the repository that it was built in, or where it was
/// installed (`bin/blip2-train` beside `share/blip2-train`).
public enum ProgramFiles {
  /// What a path leads to: from the working folder, or else beside the program.
  public static func url(_ path: String) -> URL {
    let here = URL(fileURLWithPath: path)
    if path.hasPrefix("/") || FileManager.default.fileExists(atPath: here.path) { return here }
    return folders.map { $0.appendingPathComponent(path) }
      .first { FileManager.default.fileExists(atPath: $0.path) } ?? here
  }

  /// The folders above the program, nearest first, and what `share` holds of it.
  private static let folders: [URL] = {
    let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    // As deep as a build folder lies in its repository.
    let above = sequence(first: program) { $0.deletingLastPathComponent() }.dropFirst().prefix(4)
    return above.flatMap { [$0, $0.appendingPathComponent("share/blip2-train")] }
  }()
}
