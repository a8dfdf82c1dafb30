import Files
import Foundation

/// Where a configuration value was written.
public enum ConfigurationOrigin: Equatable, Sendable, CustomStringConvertible {
  /// The program's own defaults.
  case defaults
  /// A line of a configuration file, counted from 1.
  case file(name: String, line: Int)
  /// A `--set` argument, as given.
  case override(String)

  public var description: String {
    switch self {
    case .defaults: return "defaults"
    case .file(let name, let line): return "\(name):\(line)"
    case .override(let text): return "--set \(text.shortened)"
    }
  }
}

/// Why a configuration was refused.
public enum ConfigurationError: Error, Equatable, Sendable {
  /// The file cannot be opened or read.
  case unreadableFile(file: String, reason: String)
  /// The file has more bytes than a configuration can need.
  case fileTooLarge(file: String, limit: Int)
  /// The file is of a kind that is no recipe.
  case otherKind(file: String, FileKind)
  /// The file is not UTF-8 text.
  case notText(file: String)
  /// The text is not YAML; `problem` is the YAML parser's wording.
  case malformed(ConfigurationOrigin, problem: String)
  /// Sections and lists lie deeper within each other than `limit`.
  case nestedTooDeeply(ConfigurationOrigin, limit: Int)
  /// The text is YAML, but uses a feature that a configuration does without.
  case unsupported(ConfigurationOrigin, feature: String, advice: String)
  /// A key is written twice in one section.
  case duplicateKey(ConfigurationOrigin, key: String)
  /// No such key; `known` are the keys of its section, `suggestion` a full path that looks alike.
  case unknownKey(ConfigurationOrigin, field: String, suggestion: String?, known: [String])
  /// A key that has no default is missing; `found` is a key written there that looks alike.
  case missingKey(ConfigurationOrigin, field: String, found: String?)
  /// The value has the wrong type.
  case wrongType(ConfigurationOrigin, field: String, expected: String, found: String)
  /// The value's own type refused it.
  case refused(ConfigurationOrigin, field: String, reason: String)
  /// A `--set` argument is not of the form `section.key=value`.
  case malformedOverride(String)
  /// The value has the right type but makes no sense: for checks of meaning after loading.
  case invalidValue(field: String, found: String, expected: String, advice: String)
}

extension ConfigurationError: CustomStringConvertible, LocalizedError {
  public var errorDescription: String? { description }

  public var description: String {
    switch self {
    case .unreadableFile(let file, let reason):
      return "\(file): cannot read the configuration: \(reason)"
    case .fileTooLarge(let file, let limit):
      return "\(file): expected a configuration of at most \(limit) bytes, found more; "
        + "is this the right file?"
    case .otherKind(let file, let kind):
      return "\(file): expected a recipe in YAML; the file is \(kind)"
    case .notText(let file):
      return "\(file): expected UTF-8 text, found other bytes; is this the right file?"
    case .malformed(let origin, let problem):
      return "\(origin): not valid YAML: \(problem)"
    case .nestedTooDeeply(let origin, let limit):
      return "\(origin): expected at most \(limit) levels of sections and lists, found more"
    case .unsupported(let origin, let feature, let advice):
      return "\(origin): \(feature) not supported in a configuration; \(advice)"
    case .duplicateKey(let origin, let key):
      return "\(origin): \(key.shortened): the key is given twice; remove one of the two"
    case .unknownKey(let origin, let field, let suggestion, let known):
      let hint = suggestion.map { ", did you mean \($0)?" } ?? "."
      let list = known.isEmpty ? "none" : known.joined(separator: ", ")
      return "\(origin): \(field.shortened): unknown key\(hint) Known keys here: \(list)"
    case .missingKey(let origin, let field, let found):
      let hint = found.map { "; found \($0.shortened): is that the key that was meant?" }
      return "\(origin): \(field.shortened): the key is required, but not given\(hint ?? "")"
    case .wrongType(let origin, let field, let expected, let found):
      return "\(origin): \(field.shortened): expected \(expected), found \(found)"
    case .refused(let origin, let field, let reason):
      return "\(origin): \(field.shortened): \(reason)"
    case .malformedOverride(let text):
      return "--set \(text.shortened): expected section.key=value, as in training.batchSize=32"
    case .invalidValue(let field, let found, let expected, let advice):
      let advice = advice.isEmpty ? "" : "; \(advice)"
      return "\(field): expected \(expected), found \(found)\(advice)"
    }
  }
}

extension String {
  /// The text on one line and at most 120 characters long, for messages that quote strange input.
  var shortened: String {
    let start = prefix(120)
    let line = String(start.map { $0.isNewline || $0 == "\0" ? " " : $0 })
    return start.endIndex == endIndex ? line : line + "…"
  }
}
