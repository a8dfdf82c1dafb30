/// The keys of a configuration with what their properties declare, found by reflection.
struct KeyTree {
  /// The dotted path of the section; empty for the whole.
  let path: String
  /// The value at hand.
  let value: any Codable
  /// The same section's defaults, which carry the declarations.
  let defaults: any Codable
  let declaration: KeyDeclaration?
  /// The words that the value can be; nil where it is no choice among words.
  let choices: [String]?
  let resume: ResumeRule

  /// The last part of the path.
  var name: String { path.split(separator: ".").last.map(String.init) ?? "" }

  init<Configuration: Codable>(_ value: Configuration, defaults: Configuration) {
    self.init(path: "", value, defaults: defaults, resume: .named)
  }

  private init(
    path: String, _ value: any Codable, defaults: any Codable, declaration: KeyDeclaration? = nil,
    choices: [String]? = nil, resume: ResumeRule
  ) {
    self.path = path
    self.value = value
    self.defaults = defaults
    self.declaration = declaration
    self.choices = choices
    self.resume = declaration?.resume ?? resume
  }

  /// The keys of this section, or the elements of this list, in their order.
  var children: [KeyTree] {
    if let elements = value as? [any ConfigurationElement] {
      return elements.enumerated().map { index, element in
        KeyTree(
          path: "\(path)[\(index)]", element, defaults: type(of: element).template,
          resume: resume)
      }
    }
    // An optional section: what stands in it, held against its template.
    if let element = KeyTree.unwrapped(value) as? any ConfigurationElement,
      !(value is any ConfigurationElement)
    {
      return KeyTree(
        path: path, element, defaults: type(of: element).template, resume: resume
      ).children
    }
    return keys(of: value, defaults)
  }

  private func keys(of value: any Codable, _ defaults: any Codable) -> [KeyTree] {
    zip(Mirror(reflecting: value).children, Mirror(reflecting: defaults).children)
      .flatMap { own, usual -> [KeyTree] in
        if let own = own.value as? any AnyInlined, let usual = usual.value as? any AnyInlined {
          return keys(of: own.value, usual.value)
        }
        guard let label = own.label, label.hasPrefix("_"), let key = own.value as? any AnyKey,
          let declared = usual.value as? any AnyKey
        else { return [] }
        return [
          KeyTree(
            path: path.appendingKey(String(label.dropFirst())), key.value,
            defaults: declared.value, declaration: declared.declaration,
            choices: declared.choices, resume: resume)
        ]
      }
  }

  /// This and all keys below it, each before its own.
  func visit(_ body: (KeyTree) throws -> Void) rethrows {
    try body(self)
    for child in children { try child.visit(body) }
  }

  private static func unwrapped(_ value: Any) -> Any? {
    let mirror = Mirror(reflecting: value)
    return mirror.displayStyle == .optional ? mirror.children.first?.value : value
  }
}

/// Holds values against the ranges that their keys declare.
public enum KeyCheck {
  /// - Throws: `ConfigurationError.invalidValue` for the first that lies outside.
  public static func check<Configuration: Codable>(
    _ configuration: Configuration, like defaults: Configuration
  ) throws {
    try KeyTree(configuration, defaults: defaults).visit { key in
      guard let expected = key.declaration?.range?.complaint(about: key.value) else { return }
      throw ConfigurationError.invalidValue(
        field: key.path, found: try ConfigurationEncoder.tree(of: key.value).summary,
        expected: expected, advice: "")
    }
  }
}

/// A key that has another value than in an earlier run's recipe.
public struct KeyDifference {
  public let path: String
  public let then: String
  public let now: String
  public let resume: ResumeRule

  /// Such as `model.qFormer.width: the checkpoint has 768, now it is 384`.
  public var line: String { "\(path): the checkpoint has \(then), now it is \(now)" }

  /// The differences between two recipes, in the order of the keys.
  public static func between<Configuration: Codable>(
    _ earlier: Configuration, _ present: Configuration, like defaults: Configuration,
    under path: String = ""
  ) throws -> [KeyDifference] {
    let before = try leaves(of: earlier, defaults, path)
    let after = try leaves(of: present, defaults, path)
    let (old, new) = (dictionary(before), dictionary(after))
    let paths = after.map(\.path) + before.map(\.path).filter { new[$0] == nil }
    return paths.compactMap { path in
      let (then, now) = (old[path]?.text ?? "nothing", new[path]?.text ?? "nothing")
      if then == now { return nil }
      return KeyDifference(
        path: path, then: then, now: now, resume: (new[path] ?? old[path])?.resume ?? .named)
    }
  }

  private typealias Leaf = (path: String, text: String, resume: ResumeRule)

  private static func leaves<Configuration: Codable>(
    of configuration: Configuration, _ defaults: Configuration, _ prefix: String
  ) throws -> [Leaf] {
    var leaves: [Leaf] = []
    try KeyTree(configuration, defaults: defaults).visit { key in
      guard key.declaration != nil, key.children.isEmpty else { return }
      let text = try ConfigurationEncoder.tree(of: key.value).plainText
      leaves.append((prefix.appendingKey(key.path), text, key.resume))
    }
    return leaves
  }

  private static func dictionary(_ leaves: [Leaf]) -> [String: Leaf] {
    Dictionary(leaves.map { ($0.path, $0) }) { first, _ in first }
  }
}
