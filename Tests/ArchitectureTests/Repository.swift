import Foundation

/// The repository's own files, as the rules see them.
enum Repository {
  struct SourceFile {
    /// Relative to the repository's root.
    let path: String
    let lines: [Substring]

    /// `Tensors` for `Sources/Tensors/Tensor.swift`.
    var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
  }

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The files below `folder` with one of the extensions, ordered by path. Files that are not
  /// UTF-8 fail.
  static func files(in folder: String, extensions: Set<String>) throws -> [SourceFile] {
    let found = FileManager.default.enumerator(
      atPath: root.appendingPathComponent(folder).resolvingSymlinksInPath().path)
    let names = (found?.compactMap { $0 as? String } ?? []).filter {
      extensions.contains(($0 as NSString).pathExtension)
    }
    return try names.sorted().map { try file(folder + "/" + $0) }
  }

  static func file(_ path: String) throws -> SourceFile {
    let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    return SourceFile(
      path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
  }

  /// All Swift files under Sources.
  static func sources() throws -> [SourceFile] { try files(in: "Sources", extensions: ["swift"]) }

  /// The folders under Sources that hold any file.
  static func modules() throws -> [String] {
    let folders = try FileManager.default.contentsOfDirectory(
      atPath: root.appendingPathComponent("Sources").path)
    return try folders.sorted().filter { folder in
      try !files(in: "Sources/" + folder, extensions: ["swift", "c", "h", "modulemap"]).isEmpty
    }
  }
}
