extension ConfigurationNode {
  /// This tree with keys under their present names: those of earlier versions are read as well.
  /// - Parameters:
  ///   - keys: The section's keys.
  ///   - note: Is told of each key that has another name by now.
  func withPresentNames(_ keys: KeyTree, note: (String) -> Void) -> ConfigurationNode {
    guard case .section(let section) = content else { return self }
    let children = keys.children
    var renamed = ConfigurationSection()
    for (name, node) in section.entries {
      var key = children.first { $0.name == name }
      if key == nil, let present = children.first(where: { $0.declaration?.former == name }),
        section[present.name] == nil
      {
        key = present
        note("\(node.origin): \(keys.path.appendingKey(name)) is called \(present.path) by now")
      }
      renamed[key?.name ?? name] = key.map { node.withPresentNames($0, note: note) } ?? node
    }
    return ConfigurationNode(content: .section(renamed), origin: origin)
  }
}
