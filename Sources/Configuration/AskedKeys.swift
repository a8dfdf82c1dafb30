/// The keys that decoding asked for: with them a configuration's other keys are unknown ones.
final class AskedKeys {
  /// The asked keys of each section in order, by the section's dotted path.
  private var keys: [String: [String]] = [:]
  private var known: Set<String> = []

  func insert(_ key: String, inSection path: String) {
    guard known.insert(path.appendingKey(key)).inserted else { return }
    keys[path, default: []].append(key)
  }

  /// Throws for the first key of a file or an override that decoding did not ask for.
  func refuseOthers(in node: ConfigurationNode, path: String) throws {
    switch node.content {
    case .scalar: return
    case .list(let elements):
      for (index, element) in elements.enumerated() {
        try refuseOthers(in: element, path: "\(path)[\(index)]")
      }
    case .section(let section):
      for (key, value) in section.entries where value.origin != .defaults {
        let field = path.appendingKey(key)
        guard known.contains(field) else { throw unknownKey(key, in: path, value.origin) }
        try refuseOthers(in: value, path: field)
      }
    }
  }

  private func unknownKey(
    _ key: String, in path: String, _ origin: ConfigurationOrigin
  ) -> ConfigurationError {
    let here = keys[path] ?? []
    let near = KeySuggestion.nearest(to: key, in: here).map(path.appendingKey)
    return .unknownKey(
      origin, field: path.appendingKey(key), suggestion: near ?? elsewhere(key, in: path),
      known: here)
  }

  /// A known path in another section: one that ends in such a key, or else one written alike.
  private func elsewhere(_ key: String, in path: String) -> String? {
    let others = keys.filter { $0.key != path }.sorted { $0.key < $1.key }
    let names = others.flatMap(\.value)
    let paths = others.flatMap { section in section.value.map(section.key.appendingKey) }
    if let near = KeySuggestion.nearest(to: key, in: names),
      let position = names.firstIndex(of: near)
    {
      return paths[position]
    }
    // The sections around the key are right as they are.
    let candidates = paths.filter { !"\(path).".hasPrefix("\($0).") }
    return KeySuggestion.nearest(to: path.appendingKey(key), in: candidates)
  }
}
