/// A configuration as a tree of sections, lists and scalars, each knowing where it was written.
///
/// The defaults, the file and each `--set` argument become such trees; one is laid over another,
/// and what results is decoded.
struct ConfigurationNode {
  enum Content {
    /// A scalar's text; `isPlain` where it was written without quotation marks. Only a plain scalar
    /// can be a number, true, false or null.
    case scalar(String, isPlain: Bool)
    case list([ConfigurationNode])
    case section(ConfigurationSection)
  }

  var content: Content
  var origin: ConfigurationOrigin

  /// The section that the node is; nil for another.
  var section: ConfigurationSection? {
    guard case .section(let section) = content else { return nil }
    return section
  }

  static func null(_ origin: ConfigurationOrigin) -> ConfigurationNode {
    ConfigurationNode(content: .scalar("null", isPlain: true), origin: origin)
  }

  /// Whether the node is an explicit `null` or `~`, or a key without a value.
  var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }

  /// What the node holds, in the words of an error message.
  var summary: String {
    switch content {
    case .scalar where isNull: return "nothing"
    case .scalar(let text, isPlain: true): return text.shortened
    case .scalar(let text, isPlain: false): return "the text \"\(text.shortened)\""
    case .list: return "a list"
    case .section: return "a section with keys"
    }
  }

  /// A scalar's text or a list's elements, as differences between recipes show them.
  var plainText: String {
    switch content {
    case .scalar(let text, _): return text
    case .list(let elements):
      return "[" + elements.map(\.plainText).joined(separator: ", ") + "]"
    case .section(let section):
      let entries = section.entries.map { "\($0.key): \($0.value.plainText)" }
      return "{" + entries.joined(separator: ", ") + "}"
    }
  }

  /// This tree with `other` laid over it: sections are merged key by key; a scalar or a list
  /// replaces whatever was in its place.
  func overlaid(with other: ConfigurationNode) -> ConfigurationNode {
    guard case .section(var section) = content, case .section(let changes) = other.content else {
      return other
    }
    for (key, value) in changes.entries {
      section[key] = section[key]?.overlaid(with: value) ?? value
    }
    return ConfigurationNode(content: .section(section), origin: other.origin)
  }
}

/// The keys and values of a section, in the order in which they were first written.
struct ConfigurationSection {
  private(set) var entries: [(key: String, value: ConfigurationNode)] = []
  private var positions: [String: Int] = [:]

  subscript(key: String) -> ConfigurationNode? {
    get { positions[key].map { entries[$0].value } }
    set {
      guard let newValue else { return }
      if let position = positions[key] {
        entries[position].value = newValue
      } else {
        positions[key] = entries.count
        entries.append((key, newValue))
      }
    }
  }
}
