extension ConfigurationNode {
  /// The keys that had another name when checkpoints of earlier versions were written: section, then, now.
  private static let former = [("vision", "cachedViews", "views")]

  /// A file's tree with keys under their present names, so that the recipes in older checkpoints can be
  /// read.
  func withPresentNames() -> ConfigurationNode {
    guard case .section(var root) = content else { return self }
    for (name, then, now) in ConfigurationNode.former {
      guard let node = root[name], case .section(let section) = node.content, section[now] == nil
      else { continue }
      var renamed = ConfigurationSection()
      for (key, value) in section.entries { renamed[key == then ? now : key] = value }
      root[name] = ConfigurationNode(content: .section(renamed), origin: node.origin)
    }
    return ConfigurationNode(content: .section(root), origin: origin)
  }
}
