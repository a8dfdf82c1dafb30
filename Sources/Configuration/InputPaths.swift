import Foundation

/// The relative paths of a configuration, seen from the folder in which it was first used.
public enum InputPaths {
  /// The configuration with absolute paths in place of those that lead to nothing from the working
  /// folder, and to something from another one.
  /// - Parameters:
  ///   - defaults: A configuration that carries the declarations.
  ///   - folder: The other folder.
  ///   - resolve: Puts what a path's placeholders stand for into it.
  ///   - report: Is told of each path that is taken from there.
  /// - Throws: `ConfigurationError`.
  public static func completed<Configuration: Codable>(
    _ configuration: Configuration, like defaults: Configuration, from folder: URL,
    resolve: (String) -> String, report: (String) -> Void
  ) throws -> Configuration {
    var found: [String: String] = [:]
    KeyTree(configuration, defaults: defaults).visit { key in
      guard case .inputPath = key.declaration?.range,
        let path = (key.value as? any PathKeyValue)?.path, !path.isEmpty, !path.hasPrefix("/")
      else { return }
      let other = folder.appendingPathComponent(path).path
      guard !exists(resolve(path)), exists(resolve(other)) else { return }
      found[key.path] = other
      report("\(key.path): \(path) is not here, taken from \(folder.path)")
    }
    if found.isEmpty { return configuration }
    let tree = try ConfigurationEncoder.tree(of: configuration).replacingTexts(found, at: "")
    return try ConfigurationDecoder(node: tree, path: [], asked: AskedKeys())
      .decode(Configuration.self)
  }

  /// Whether there is something; of a pattern such as `name-*.tar` whether there is its folder.
  private static func exists(_ path: String) -> Bool {
    let url = URL(fileURLWithPath: path)
    let isPattern = url.lastPathComponent.contains { "*{".contains($0) }
    return FileManager.default.fileExists(
      atPath: isPattern ? url.deletingLastPathComponent().path : url.path)
  }
}

extension ConfigurationNode {
  /// This tree with other texts at some places.
  fileprivate func replacingTexts(_ texts: [String: String], at path: String) -> ConfigurationNode {
    var node = self
    switch content {
    case .scalar:
      if let text = texts[path] { node.content = .scalar(text, isPlain: false) }
    case .list(let elements):
      node.content = .list(
        elements.enumerated().map { $1.replacingTexts(texts, at: "\(path)[\($0)]") })
    case .section(var section):
      for (key, value) in section.entries {
        section[key] = value.replacingTexts(texts, at: path.appendingKey(key))
      }
      node.content = .section(section)
    }
    return node
  }
}
