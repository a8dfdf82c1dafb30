import Files
import Foundation
import Yams

/// Reads YAML text into a tree, in bounded time and memory whatever the text: the worst one known,
/// of keys within keys on every line, takes 5 seconds.
enum ConfigurationReader {
  static let sizeLimit = 256 << 10
  static let depthLimit = 32

  /// How many aliases (`*name`) and explicit keys (`? key`) a text may seem to have.
  ///
  /// The real ones are refused, with their place, once the text is parsed. But the parser expands
  /// aliases that are keys, and at each level compares keys that are sections in full: many of
  /// either would take exponential or quadratic time, so that their number is bounded beforehand.
  static let possibleIndicatorLimit = 8

  /// The tree of a file, or nil where the file holds nothing but comments.
  static func tree(ofFile file: URL) throws -> ConfigurationNode? {
    var bytes = try bytes(of: file)
    if let kind = FileKind(bytes), !bytes.isEmpty {
      throw ConfigurationError.otherKind(file: file.path, kind)
    }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationError.notText(file: file.path)
    }
    return try tree(of: text) { .file(name: file.path, line: $0) }
  }

  /// The tree of a text, or nil where the text holds nothing but comments.
  /// - Parameter origin: The origin of what stands in a line, counted from 1.
  static func tree(
    of text: String, origin: @escaping (_ line: Int) -> ConfigurationOrigin
  ) throws -> ConfigurationNode? {
    if let line = lineBeyondIndicatorLimit(text) {
      throw ConfigurationError.unsupported(
        origin(line),
        feature: "more than \(possibleIndicatorLimit) words that start with * or ? are",
        advice: "aliases and explicit keys have no use here, and other text can do without them")
    }
    return try LargeStack.run { try parsedTree(of: text, origin: origin) }
  }

  private static func parsedTree(
    of text: String, origin: @escaping (Int) -> ConfigurationOrigin
  ) throws -> ConfigurationNode? {
    do {
      // The default resolver would run regular expressions over every key.
      let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
      guard let root = try parser.singleRoot() else { return nil }
      // Nodes refer to their anchors weakly; the parser owns them.
      return try withExtendedLifetime(parser) {
        try TreeBuilder(origin: origin).tree(of: root, depth: 1)
      }
    } catch let error as YamlError {
      throw configurationError(of: error, origin: origin)
    }
  }

  private static func bytes(of file: URL) throws -> Data {
    let bytes: [UInt8]
    do throws(SystemFailure) {
      bytes = try OpenFile(file.path, flags: O_RDONLY).nextBytes(limit: sizeLimit + 1)
    } catch {
      throw ConfigurationError.unreadableFile(file: file.path, reason: error.reason)
    }
    guard bytes.count <= sizeLimit else {
      throw ConfigurationError.fileTooLarge(file: file.path, limit: sizeLimit)
    }
    return Data(bytes)
  }

  /// The line of the first possible alias or explicit key too many, if any. Those in comments and
  /// quoted text count as well, since telling them apart for certain takes a parser.
  private static func lineBeyondIndicatorLimit(_ text: String) -> Int? {
    var line = 1
    var count = 0
    var previous = UInt8(ascii: "\n")
    for byte in text.utf8 {
      let isAlias = previous == UInt8(ascii: "*") && isWordCharacter(byte)
      // After a letter of ASCII, a question mark is part of the word or an error.
      let isExplicitKey = byte == UInt8(ascii: "?") && !isWordCharacter(previous)
      if isAlias || isExplicitKey {
        count += 1
        if count > possibleIndicatorLimit { return line }
      }
      if byte == UInt8(ascii: "\n") { line += 1 }
      previous = byte
    }
    return nil
  }

  /// Whether an alias's name may have the character.
  private static func isWordCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      return true
    default: return false
    }
  }

  private static func configurationError(
    of error: YamlError, origin: (Int) -> ConfigurationOrigin
  ) -> ConfigurationError {
    switch error {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      // The library's own limit, of 1,000 levels; it has no error of its own.
      if problem.contains("Maximum nesting level") {
        return .nestedTooDeeply(origin(mark.line), limit: depthLimit)
      }
      let context = context.map { "\($0.text) " } ?? ""
      return .malformed(origin(mark.line), problem: context + problem)
    case .duplicatedKeysInMapping(let keys, let context):
      return .duplicateKey(origin(context.mark.line), key: keys.first ?? "")
    case .reader(let problem, let offset, _, let yaml):
      let before = offset.map { yaml.prefix($0) } ?? ""
      return .malformed(origin(before.count(where: \.isNewline) + 1), problem: problem)
    default:
      return .malformed(origin(1), problem: "\(error)".shortened)
    }
  }
}

/// Turns the YAML library's nodes into ours, refusing what a configuration does without.
private struct TreeBuilder {
  let origin: (Int) -> ConfigurationOrigin

  func tree(of node: Node, depth: Int, keyLine: Int? = nil) throws -> ConfigurationNode {
    let place = origin(keyLine ?? node.mark?.line ?? 1)
    guard depth <= ConfigurationReader.depthLimit else {
      throw ConfigurationError.nestedTooDeeply(place, limit: ConfigurationReader.depthLimit)
    }
    // What an alias stands for is a node with an anchor: refused before it is entered.
    try refuseAnchorAndTag(of: node, at: place)
    switch node {
    case .scalar(let scalar):
      let isPlain = scalar.style == .plain || scalar.style == .any
      // No value but a path begins so.
      let text =
        scalar.string.hasPrefix("~/") ? FilePath.withHome(scalar.string) : scalar.string
      return ConfigurationNode(content: .scalar(text, isPlain: isPlain), origin: place)
    case .sequence(let sequence):
      let elements = try sequence.map { try tree(of: $0, depth: depth + 1) }
      return ConfigurationNode(content: .list(elements), origin: place)
    case .mapping(let mapping):
      var section = ConfigurationSection()
      for (key, value) in mapping {
        let line = key.mark?.line
        let name = try self.key(key, at: origin(line ?? 1))
        if section[name] != nil {
          throw ConfigurationError.duplicateKey(origin(line ?? 1), key: name)
        }
        section[name] = try tree(of: value, depth: depth + 1, keyLine: line)
      }
      return ConfigurationNode(content: .section(section), origin: place)
    case .alias:
      throw ConfigurationError.unsupported(
        place, feature: "aliases (*name) are", advice: "write the value out")
    }
  }

  private func key(_ node: Node, at place: ConfigurationOrigin) throws -> String {
    guard case .scalar(let scalar) = node else {
      throw ConfigurationError.unsupported(
        place, feature: "lists and sections as keys are", advice: "a key is a word")
    }
    try refuseAnchorAndTag(of: node, at: place)
    return scalar.string
  }

  private func refuseAnchorAndTag(of node: Node, at place: ConfigurationOrigin) throws {
    guard node.anchor == nil else {
      throw ConfigurationError.unsupported(
        place, feature: "anchors and aliases (&name, *name) are",
        advice: "write repeated values out, and put text that starts with & or * in quotation marks"
      )
    }
    let implied: Tag.Name
    switch node {
    case .scalar: implied = .str
    case .sequence: implied = .seq
    case .mapping: implied = .map
    case .alias: return
    }
    guard node.tag.rawValue == implied.rawValue else {
      throw ConfigurationError.unsupported(
        place, feature: "type tags (\(node.tag.rawValue.shortened)) are",
        advice: "remove the tag, or put text that starts with ! in quotation marks")
    }
  }
}
