/// A key of a recipe, declared once where its property stands: its name and default are the property's,
/// its meaning, range and what a resumed run may change are said here. Checks (`KeyCheck`), resume rules
/// (`KeyDifference`) and the printed reference (`KeyReference`) read them by reflection.
///
/// A decoded value has lost its declaration: the three take it from a configuration's defaults.
@propertyWrapper
public struct Key<Value: Codable>: Codable {
  public var wrappedValue: Value
  /// Nil in a value that was decoded.
  let declaration: KeyDeclaration?

  /// - Parameters:
  ///   - meaning: What the key decides, in a sentence; of a section, what it is about.
  ///   - resume: What a resumed run may change; nil for what holds of the section around it.
  ///   - former: The key's name in earlier versions, which is read with a warning.
  public init(
    wrappedValue: Value, _ meaning: String, resume: ResumeRule? = nil,
    formerly former: String? = nil
  ) {
    self.init(wrappedValue, .init(meaning: meaning, range: nil, resume: resume, former: former))
  }

  private init(_ value: Value, _ declaration: KeyDeclaration?) {
    wrappedValue = value
    self.declaration = declaration
  }

  public init(from decoder: Decoder) throws {
    self.init(try decoder.singleValueContainer().decode(Value.self), nil)
  }

  public func encode(to encoder: Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(wrappedValue)
  }
}

extension Key where Value: RangedKeyValue {
  /// - Parameter range: The values that make sense; `Int.max` at its end for no limit.
  public init(
    wrappedValue: Value, _ range: ClosedRange<Value.Bound>, _ meaning: String,
    resume: ResumeRule? = nil, formerly former: String? = nil
  ) {
    let range = KeyRange.numbers(Value.Bound.words(for: range)) { value in
      guard let value = value as? Value else { preconditionFailure("a key of another type") }
      return value.bound.map(range.contains) ?? true
    }
    self.init(
      wrappedValue, .init(meaning: meaning, range: range, resume: resume, former: former))
  }
}

/// Marks a key as the path of what a run reads.
public enum InputPath: Sendable { case input }

extension Key where Value: PathKeyValue {
  public init(
    wrappedValue: Value, _: InputPath, _ meaning: String, resume: ResumeRule? = nil,
    formerly former: String? = nil
  ) {
    self.init(
      wrappedValue, .init(meaning: meaning, range: .inputPath, resume: resume, former: former))
  }
}

extension Key: Equatable where Value: Equatable {
  public static func == (left: Key, right: Key) -> Bool { left.wrappedValue == right.wrappedValue }
}

extension Key: Hashable where Value: Hashable {
  public func hash(into hasher: inout Hasher) { wrappedValue.hash(into: &hasher) }
}

extension Key: Sendable where Value: Sendable {}

/// What of a key a resumed run may change.
public enum ResumeRule: Sendable {
  /// Nothing: another value is another run.
  case fixed
  /// Another value is named, and the run goes on.
  case named
  /// Another value decides what held-out scores mean: it is named, and the best so far is forgotten.
  case scores
  /// Another value changes no number of the run.
  case free
}

/// What a property says of its key.
struct KeyDeclaration: Sendable {
  let meaning: String
  let range: KeyRange?
  let resume: ResumeRule?
  /// What the key was called in earlier versions.
  let former: String?
}

/// The values that make sense.
enum KeyRange: Sendable {
  /// In an error's words for what was expected, and whether a value is among them.
  case numbers(String, contains: @Sendable (any Codable) -> Bool)
  /// The path of what a run reads.
  case inputPath

  /// What is wrong with a value, in an error's words for what was expected; nil for nothing.
  func complaint(about value: any Codable) -> String? {
    guard case .numbers(let words, let contains) = self, !contains(value) else { return nil }
    return words
  }

  /// The range in an error's words for what was expected; nil where any value may be right.
  var words: String? {
    guard case .numbers(let words, _) = self else { return nil }
    return words
  }
}

/// A number, or null for none.
public protocol RangedKeyValue: Codable, Sendable {
  associatedtype Bound: KeyBound
  var bound: Bound? { get }
}

/// What ranges are given in.
public protocol KeyBound: Comparable, Sendable {
  /// The range in an error's words for what was expected.
  static func words(for range: ClosedRange<Self>) -> String
}

/// A path, or null for none.
public protocol PathKeyValue: Codable {
  var path: String? { get }
}

extension Int: RangedKeyValue, KeyBound {
  public var bound: Int? { self }

  public static func words(for range: ClosedRange<Int>) -> String {
    let most = range.upperBound == .max ? "" : ", at most \(range.upperBound)"
    return "at least \(range.lowerBound)\(most)"
  }
}

extension Float: RangedKeyValue {
  /// As it is written: the nearest double of 0.999 as a float lies beyond 0.999.
  public var bound: Double? { Double(description) }
}

extension Double: RangedKeyValue, KeyBound {
  public var bound: Double? { self }

  public static func words(for range: ClosedRange<Double>) -> String {
    "a number from \(range.lowerBound) to \(range.upperBound)"
  }
}

extension String: PathKeyValue {
  public var path: String? { self }
}

extension Optional: PathKeyValue where Wrapped: PathKeyValue {
  public var path: String? { flatMap(\.path) }
}

extension Optional: RangedKeyValue where Wrapped: RangedKeyValue {
  public var bound: Wrapped.Bound? { flatMap(\.bound) }
}

/// A key of any value, for reflection.
protocol AnyKey {
  var value: any Codable { get }
  var declaration: KeyDeclaration? { get }
  /// The words that the value can be; nil where it is no choice among words.
  var choices: [String]? { get }
}

extension Key: AnyKey {
  var value: any Codable { wrappedValue }

  var choices: [String]? {
    let type: Any.Type = (Value.self as? any OptionalValue.Type)?.wrapped ?? Value.self
    return ConfigurationDecoder.words(of: type)
  }
}

/// An optional, whatever it holds.
private protocol OptionalValue {
  static var wrapped: Any.Type { get }
}

extension Optional: OptionalValue {
  fileprivate static var wrapped: Any.Type { Wrapped.self }
}
