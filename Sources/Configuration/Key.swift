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

extension Key where Value: WholeKeyValue {
  /// - Parameter range: The values that make sense; `Int.max` at its end for no limit.
  public init(
    wrappedValue: Value, _ range: ClosedRange<Int>, _ meaning: String, resume: ResumeRule? = nil,
    formerly former: String? = nil
  ) {
    self.init(
      wrappedValue, .init(meaning: meaning, range: .whole(range), resume: resume, former: former))
  }
}

extension Key where Value: RealKeyValue {
  /// - Parameter range: The values that make sense.
  public init(
    wrappedValue: Value, _ range: ClosedRange<Double>, _ meaning: String,
    resume: ResumeRule? = nil, formerly former: String? = nil
  ) {
    self.init(
      wrappedValue, .init(meaning: meaning, range: .real(range), resume: resume, former: former))
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
  case whole(ClosedRange<Int>)
  case real(ClosedRange<Double>)
  /// The path of what a run reads.
  case inputPath

  /// What is wrong with a value, in an error's words for what was expected; nil for nothing.
  func complaint(about value: Any) -> String? {
    switch self {
    case .whole(let range):
      guard let value = (value as? any WholeKeyValue)?.whole else { return nil }
      return range.contains(value) ? nil : words
    case .real(let range):
      guard let value = (value as? any RealKeyValue)?.real else { return nil }
      return range.contains(value) ? nil : words
    case .inputPath: return nil
    }
  }

  /// The range in an error's words for what was expected; nil where any value may be right.
  var words: String? {
    switch self {
    case .whole(let range):
      let most = range.upperBound == .max ? "" : ", at most \(range.upperBound)"
      return "at least \(range.lowerBound)\(most)"
    case .real(let range):
      return "a number from \(range.lowerBound) to \(range.upperBound)"
    case .inputPath: return nil
    }
  }
}

/// A whole number, or null for none.
public protocol WholeKeyValue: Codable {
  var whole: Int? { get }
}

/// A path, or null for none.
public protocol PathKeyValue: Codable {
  var path: String? { get }
}

/// A number, or null for none.
public protocol RealKeyValue: Codable {
  var real: Double? { get }
}

extension Int: WholeKeyValue {
  public var whole: Int? { self }
}

extension Float: RealKeyValue {
  public var real: Double? { Double(self) }
}

extension Double: RealKeyValue {
  public var real: Double? { self }
}

extension String: PathKeyValue {
  public var path: String? { self }
}

extension Optional: PathKeyValue where Wrapped: PathKeyValue {
  public var path: String? { flatMap(\.path) }
}

extension Optional: WholeKeyValue where Wrapped: WholeKeyValue {
  public var whole: Int? { flatMap(\.whole) }
}

extension Optional: RealKeyValue where Wrapped: RealKeyValue {
  public var real: Double? { flatMap(\.real) }
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
