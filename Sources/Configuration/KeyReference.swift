/// The keys of a recipe with their meanings and ranges, as a commented recipe.
public enum KeyReference {
  /// YAML that loads as the values.
  /// - Parameters:
  ///   - values: The values that are printed.
  ///   - declared: What carries the declarations of the keys where that is not `values`.
  ///   - head: The comment at the top.
  ///   - open: Sections whose values come from elsewhere where they are not given: they are commented out.
  ///   - chosen: The only keys that are printed, by their paths, with what is said of each beside its meaning;
  ///     nil for all keys.
  public static func yaml<Configuration: Codable>(
    of values: Configuration, like declared: Configuration? = nil, head: String,
    open: Set<String> = [], only chosen: [String: String]? = nil
  ) throws -> String {
    let writer = Writer(open: open, chosen: chosen)
    var lines = writer.comment(head, indent: "")
    try writer.add(KeyTree(values, defaults: declared ?? values), indent: "", to: &lines)
    return lines.joined(separator: "\n") + "\n"
  }
}

private struct Writer {
  let open: Set<String>
  let chosen: [String: String]?

  func add(_ section: KeyTree, indent: String, to lines: inout [String]) throws {
    for key in section.children where isChosen(key) {
      if open.contains(key.path) {
        var inner: [String] = []
        try Writer(open: [], chosen: chosen).add(key, indent: "", to: &inner)
        lines += comment(key.declaration?.meaning ?? "", indent: indent)
        lines += ["\(indent)# \(key.name):"] + inner.map { "\(indent)#   \($0)" }
        continue
      }
      if let declaration = key.declaration {
        let words = [declaration.meaning, expected(key, declaration), chosen?[key.path]]
        lines += comment(words.compactMap { $0 }.joined(separator: " "), indent: indent)
      }
      let tree = try ConfigurationEncoder.tree(of: key.value)
      switch tree.content {
      case .section where !key.children.isEmpty:
        lines.append("\(indent)\(key.name):")
        try add(key, indent: indent + "  ", to: &lines)
      case .list(let elements) where !elements.isEmpty:
        lines.append("\(indent)\(key.name):")
        lines += try ConfigurationLoader.yaml(tree: tree).split(separator: "\n").map { indent + $0 }
      default:
        lines.append("\(indent)\(key.name): \(try ConfigurationLoader.yaml(tree: tree))")
      }
    }
  }

  /// Whether the key or one below it is printed.
  private func isChosen(_ key: KeyTree) -> Bool {
    guard let chosen else { return true }
    return chosen.keys.contains { "\($0).".hasPrefix("\(key.path).") }
  }

  /// The values that the key takes, as a sentence.
  private func expected(_ key: KeyTree, _ declaration: KeyDeclaration) -> String? {
    if let choices = key.choices { return "One of \(choices.joined(separator: ", "))." }
    guard let words = declaration.range?.words else { return nil }
    return words.prefix(1).uppercased() + words.dropFirst() + "."
  }

  /// The text as lines of comment of at most 100 characters.
  func comment(_ text: String, indent: String) -> [String] {
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
