import Foundation
import Yams

/// Loads and writes configurations: nested `Codable` structs whose stored values are the defaults.
///
/// The defaults become a tree; the file's tree and then each override is laid over it; the result
/// is decoded. Sections are merged key by key and lists are replaced whole. A key that decoding did
/// not ask for is refused: so optional keys, elements of lists and types with a decoder of their own
/// need no list of known keys anywhere.
public enum ConfigurationLoader {
  /// The version of the keys that this program reads, which a recipe may state by `version`; 0.1.0 wrote
  /// none, and had the same keys.
  public static let recipeVersion = 1

  /// Loads a configuration.
  /// - Parameters:
  ///   - defaults: The values of the keys that are not given.
  ///   - declared: What carries the declarations of keys where that is not `defaults`.
  ///   - file: A YAML file of at most 256 KiB.
  ///   - overrides: `section.key=value` arguments with values in YAML, applied after the file, in
  ///     order.
  ///   - note: Is told of each key that has another name by now.
  /// - Throws: `ConfigurationError`.
  public static func load<Configuration: Codable>(
    _ defaults: Configuration, like declared: Configuration? = nil, file: URL? = nil,
    overrides: [String] = [], note: (String) -> Void = { _ in }
  ) throws -> Configuration {
    try load(
      defaults, like: declared ?? defaults,
      changes: try file.flatMap { try ConfigurationReader.tree(ofFile: $0) },
      overrides: overrides, note: note)
  }

  /// Loads a configuration from YAML text, such as a checkpoint holds.
  /// - Parameter name: What messages call the text's source.
  /// - Throws: `ConfigurationError`.
  public static func load<Configuration: Codable>(
    _ defaults: Configuration, text: String, name: String, overrides: [String] = []
  ) throws -> Configuration {
    try load(
      defaults, like: defaults,
      changes: try ConfigurationReader.tree(of: text) { .file(name: name, line: $0) },
      overrides: overrides, note: { _ in })
  }

  private static func load<Configuration: Codable>(
    _ defaults: Configuration, like declared: Configuration, changes: ConfigurationNode?,
    overrides: [String], note: (String) -> Void
  ) throws -> Configuration {
    let keys = KeyTree(declared, defaults: declared)
    var tree = try ConfigurationEncoder.tree(of: defaults)
    if let changes = changes?.withPresentNames(keys, note: note) {
      guard changes.section != nil else {
        throw ConfigurationError.wrongType(
          changes.origin, field: "the file", expected: "a section with keys",
          found: changes.summary)
      }
      try refuseLaterVersion(changes)
      tree = tree.overlaid(with: changes)
    }
    for override in overrides {
      let change = try self.tree(ofOverride: override)
      tree = tree.overlaid(with: change.withPresentNames(keys, note: note))
    }
    let asked = AskedKeys()
    let configuration = try ConfigurationDecoder(node: tree, codingPath: [], asked: asked)
      .decode(Configuration.self)
    try asked.refuseOthers(in: tree, path: "")
    return configuration
  }

  /// A recipe for a later program is named as such, before its keys are found unknown.
  private static func refuseLaterVersion(_ tree: ConfigurationNode) throws {
    guard let node = tree.section?["version"],
      case .scalar(let text, isPlain: true) = node.content, let version = Int(text),
      version > recipeVersion
    else { return }
    throw ConfigurationError.invalidValue(
      field: "version", found: text, expected: "at most \(recipeVersion)",
      advice: "\(node.origin) is written for a later blip2-train: use that one")
  }

  /// The outermost keys of a file.
  /// - Throws: `ConfigurationError`.
  public static func sections(ofFile file: URL) throws -> [String] {
    try ConfigurationReader.tree(ofFile: file)?.section?.entries.map(\.key) ?? []
  }

  /// What a file or an override says of an outermost key; nil where none does.
  /// - Throws: `ConfigurationError`.
  public static func rootValue(
    _ key: String, file: URL, overrides: [String] = []
  ) throws -> String? {
    let trees =
      [try ConfigurationReader.tree(ofFile: file)] + (try overrides.map(tree(ofOverride:)))
    let values = trees.compactMap { tree -> String? in
      guard case .scalar(let text, _)? = tree?.section?[key]?.content else { return nil }
      return text
    }
    return values.last
  }

  /// The configuration as YAML text, every key included: `load` reads back an equal value.
  public static func yaml<Configuration: Codable>(_ configuration: Configuration) throws -> String {
    let tree = try ConfigurationEncoder.tree(of: configuration)
    return try Yams.serialize(node: node(of: tree), width: -1, allowUnicode: true)
  }

  /// A value as YAML, without a line's end.
  static func yaml(tree: ConfigurationNode) throws -> String {
    try Yams.serialize(node: node(of: tree), width: -1, allowUnicode: true)
      .replacingOccurrences(of: "...\n", with: "").trimmingCharacters(in: .newlines)
  }

  /// `a.b=value` as the tree `a: {b: value}`.
  private static func tree(ofOverride text: String) throws -> ConfigurationNode {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let keys = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, keys.allSatisfy({ !$0.isEmpty }),
      keys.count <= ConfigurationReader.depthLimit
    else { throw ConfigurationError.malformedOverride(text) }
    let origin = ConfigurationOrigin.override(text)
    let value = try ConfigurationReader.tree(of: String(parts[1])) { _ in origin }
    return keys.reversed().reduce(value ?? .null(origin)) { inner, key in
      var section = ConfigurationSection()
      section[String(key)] = inner
      return ConfigurationNode(content: .section(section), origin: origin)
    }
  }

  private static func node(of tree: ConfigurationNode) -> Node {
    switch tree.content {
    case .scalar(let text, let isPlain):
      return scalar(text, isPlain: isPlain)
    case .list(let elements):
      let isShort = elements.allSatisfy {
        if case .scalar(let text, _) = $0.content { return text.utf8.count < 16 }
        return false
      }
      let style: Node.Sequence.Style = isShort && elements.count <= 16 ? .flow : .block
      return .sequence(.init(elements.map(node(of:)), .implicit, style))
    case .section(let section):
      let pairs = section.entries.map { entry in
        let (text, isPlain) = entry.key.scalar
        return (scalar(text, isPlain: isPlain), node(of: entry.value))
      }
      return .mapping(.init(pairs, .implicit, section.entries.isEmpty ? .flow : .block))
    }
  }

  private static func scalar(_ text: String, isPlain: Bool) -> Node {
    .scalar(.init(text, Tag(.str), isPlain ? .any : .doubleQuoted))
  }
}
