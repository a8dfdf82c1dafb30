/// A place in a list, as a coding key.
struct ConfigurationIndex: CodingKey {
  let index: Int

  init(_ index: Int) { self.index = index }
  init?(intValue: Int) { index = intValue }
  init?(stringValue: String) { return nil }

  var stringValue: String { "[\(index)]" }
  var intValue: Int? { index }
}

/// The key under which a class writes its superclass's values.
enum ConfigurationSuperKey: CodingKey { case `super` }

extension Array where Element == any CodingKey {
  /// The path as messages show it: `data.sources[1].path`.
  var dotted: String {
    reduce("") { path, key in
      if key is ConfigurationIndex { return path + key.stringValue }
      return path.appendingKey(key.stringValue)
    }
  }
}

extension String {
  /// This dotted path, one key longer.
  func appendingKey(_ key: String) -> String { isEmpty ? key : "\(self).\(key)" }
}
