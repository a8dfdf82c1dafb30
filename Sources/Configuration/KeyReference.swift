/// All keys of a recipe with their meanings, ranges and defaults, as a commented recipe.
public enum KeyReference {
  /// YAML that loads as the defaults.
  /// - Parameters:
  ///   - head: Lines of comment at the top.
  ///   - open: Sections whose values come from elsewhere where they are not given: they are commented out.
  public static func yaml<Configuration: Codable>(
    of defaults: Configuration, head: [String], open: Set<String> = []
  ) throws -> String {
    var lines = head.map { "# \($0)" }
    try add(KeyTree(defaults, defaults: defaults), indent: "", open: open, to: &lines)
    return lines.joined(separator: "\n") + "\n"
  }

  private static func add(
    _ section: KeyTree, indent: String, open: Set<String>, to lines: inout [String]
  ) throws {
    for key in section.children {
      if open.contains(key.path) {
        var inner: [String] = []
        try add(key, indent: "", open: [], to: &inner)
        lines += comment(key.declaration?.meaning ?? "", indent: indent)
        lines += ["\(indent)# \(key.name):"] + inner.map { "\(indent)#   \($0)" }
        continue
      }
      if let declaration = key.declaration {
        let words = [declaration.meaning, expected(key, declaration)].compactMap { $0 }
        lines += comment(words.joined(separator: " "), indent: indent)
      }
      let tree = try ConfigurationEncoder.tree(of: key.value)
      switch tree.content {
      case .section where !key.children.isEmpty:
        lines.append("\(indent)\(key.name):")
        try add(key, indent: indent + "  ", open: open, to: &lines)
      case .list(let elements) where !elements.isEmpty:
        lines.append("\(indent)\(key.name):")
        lines += try ConfigurationLoader.yaml(tree: tree).split(separator: "\n").map { indent + $0 }
      default:
        lines.append("\(indent)\(key.name): \(try ConfigurationLoader.yaml(tree: tree))")
      }
    }
  }

  /// The values that the key takes, as a sentence.
  private static func expected(_ key: KeyTree, _ declaration: KeyDeclaration) -> String? {
    if let choices = key.choices { return "One of \(choices.joined(separator: ", "))." }
    guard let words = declaration.range?.words else { return nil }
    return words.prefix(1).uppercased() + words.dropFirst() + "."
  }

  /// The text as lines of comment of at most 100 characters.
  private static func comment(_ text: String, indent: String) -> [String] {
    var lines: [String] = []
    var line = indent + "#"
    for word in text.split(separator: " ") {
      if line.count + 1 + word.count > 100 {
        lines.append(line)
        line = indent + "#"
      }
      line += " " + word
    }
    return lines + [line]
  }
}
