/// The relative paths of a configuration, seen from the folder of the run that saved it.
public enum InputPaths {
  /// The configuration with absolute paths in place of those that lead to nothing from the working
  /// folder, and to something from another one.
  /// - Parameters:
  ///   - defaults: A configuration that carries the declarations.
  ///   - folder: The other folder.
  ///   - exists: Whether a path leads to anything.
  /// - Returns: With the keys of the paths that are taken from there.
  /// - Throws: `ConfigurationError`.
  public static func completed<Configuration: Codable>(
    _ configuration: Configuration, like defaults: Configuration, from folder: String,
    exists: (String) -> Bool
  ) throws -> (configuration: Configuration, keys: [String]) {
    var found: [(key: String, path: String)] = []
    KeyTree(configuration, defaults: defaults).visit { key in
      guard case .inputPath = key.declaration?.range,
        let path = (key.value as? any PathKeyValue)?.path, !path.isEmpty, !path.hasPrefix("/")
      else { return }
      let other = "\(folder)/\(path)"
      if !exists(path), exists(other) { found.append((key.path, other)) }
    }
    if found.isEmpty { return (configuration, []) }
    let paths = Dictionary(uniqueKeysWithValues: found.map { ($0.key, $0.path) })
    let tree = try ConfigurationEncoder.tree(of: configuration).replacingTexts(paths, at: "")
    let completed = try ConfigurationDecoder(node: tree, codingPath: [], asked: AskedKeys())
      .decode(Configuration.self)
    return (completed, found.map(\.key))
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
