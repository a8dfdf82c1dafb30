/// A model's sizes as a public `config.json` has them: one table reads, checks and writes them.
public protocol PublicConfiguration: Decodable, Equatable, Sendable {
  /// Keys that a file leaves out have the values that the transformers library gives them.
  init()

  /// In the order in which they are read: what a field usually holds may follow from earlier ones.
  static var fields: [PublicField<Self>] { get }

  /// What is wrong with values that are each in range, if anything is.
  var conflict: String? { get }
}

extension PublicConfiguration {
  /// - Throws: `DecodingError`, naming the key.
  public init(from decoder: any Decoder) throws {
    self.init()
    let values = try decoder.container(keyedBy: PublicKey.self)
    for field in Self.fields { try field.read(values, PublicKey(stringValue: field.key), &self) }
  }

  public var conflict: String? { nil }

  /// What is wrong with the numbers, if anything is, in the words of a `config.json`.
  public var problem: String? {
    Self.fields.lazy.compactMap { $0.problem(self) }.first ?? conflict
  }

  /// The keys of a `config.json` with their values.
  public var publicValues: [String: Any] {
    Dictionary(
      uniqueKeysWithValues: Self.fields.compactMap { field in
        field.write(self).map { (field.key, $0) }
      })
  }
}

/// A key of a `config.json`.
public struct PublicKey: CodingKey {
  public let stringValue: String
  public var intValue: Int? { nil }

  public init(stringValue: String) { self.stringValue = stringValue }

  public init?(intValue: Int) { nil }
}

/// How one key of a `config.json` is read, checked and written.
public struct PublicField<Sizes> {
  public typealias Values = KeyedDecodingContainer<PublicKey>

  let key: String
  let read: (Values, PublicKey, inout Sizes) throws -> Void
  let problem: (Sizes) -> String?
  private(set) var write: (Sizes) -> Any?

  /// - Parameters:
  ///   - read: Sets what the file says; leaves what it does not say.
  ///   - problem: What is wrong with the value, in words that follow the key.
  ///   - write: The value in a file; nil for none.
  public init(
    _ key: String, read: @escaping (Values, PublicKey, inout Sizes) throws -> Void,
    problem: @escaping (Sizes) -> String? = { _ in nil },
    write: @escaping (Sizes) -> Any? = { _ in nil }
  ) {
    self.key = key
    self.read = read
    self.problem = { sizes in problem(sizes).map { "\(key): \($0)" } }
    self.write = write
  }

  /// The field with another value in a file.
  public func written(_ value: @escaping (Sizes) -> Any?) -> PublicField {
    var field = self
    field.write = value
    return field
  }

  /// A whole number from 1 on.
  /// - Parameters:
  ///   - most: The largest that makes sense.
  ///   - usually: What a file that leaves it out means, where that is not the value of `init()`.
  ///   - isRequired: Whether a file has to have it.
  public static func size(
    _ key: String, _ property: WritableKeyPath<Sizes, Int>, upTo most: Int,
    usually: ((Sizes) -> Int)? = nil, isRequired: Bool = false
  ) -> PublicField {
    PublicField(
      key,
      read: { values, key, sizes in
        let usual = usually?(sizes) ?? sizes[keyPath: property]
        sizes[keyPath: property] =
          isRequired || values.has(key) ? try values.size(key) : usual
      },
      problem: { sizes in
        let size = sizes[keyPath: property]
        return (1...most).contains(size) ? nil : "expected 1 to \(most), found \(size)"
      }, write: { $0[keyPath: property] })
  }

  public static func number(
    _ key: String, _ property: WritableKeyPath<Sizes, Float>
  ) -> PublicField {
    optional(key, property) { (number: Double) in Float(number) }
  }

  /// What is added to variances.
  public static func epsilon(
    _ key: String, _ property: WritableKeyPath<Sizes, Float>
  ) -> PublicField {
    optional(
      key, property,
      problem: { $0 > 0 && $0 <= 1 ? nil : "expected a number above 0, at most 1, found \($0)" },
      value: { (number: Double) in Float(number) })
  }

  public static func flag(
    _ key: String, _ property: WritableKeyPath<Sizes, Bool>
  ) -> PublicField {
    optional(key, property) { (flag: Bool) in flag }
  }

  /// What a file may leave out.
  /// - Parameter value: What stands in the file, as the property has it.
  private static func optional<Stored: Decodable, Value>(
    _ key: String, _ property: WritableKeyPath<Sizes, Value>,
    problem: @escaping (Value) -> String? = { _ in nil }, value: @escaping (Stored) -> Value
  ) -> PublicField {
    PublicField(
      key,
      read: { values, key, sizes in
        guard let stored = try values.decodeIfPresent(Stored.self, forKey: key) else { return }
        sizes[keyPath: property] = value(stored)
      }, problem: { problem($0[keyPath: property]) }, write: { $0[keyPath: property] })
  }

  /// A choice that a file makes by name.
  public static func choice<Value>(
    _ key: String, _ property: WritableKeyPath<Sizes, Value>, among choices: [(String, Value)],
    written: @escaping (Value) -> String
  ) -> PublicField {
    PublicField(
      key,
      read: { values, key, sizes in
        guard let name = try values.decodeIfPresent(String.self, forKey: key) else { return }
        guard let choice = choices.first(where: { $0.0 == name }) else {
          let names = choices.map(\.0).joined(separator: " or ")
          throw values.refusal(key, "expected \(names), found \(name)")
        }
        sizes[keyPath: property] = choice.1
      }, write: { written($0[keyPath: property]) })
  }

  /// A part that has a table of its own.
  public static func part<Part: PublicConfiguration>(
    _ key: String, _ property: WritableKeyPath<Sizes, Part>
  ) -> PublicField {
    optional(key, property, problem: \.problem) { (part: Part) in part }
      .written { $0[keyPath: property].publicValues }
  }

  /// A variant of the family: this value alone is supported.
  public static func fixed<Value: Decodable & Equatable>(
    _ key: String, _ value: Value
  ) -> PublicField {
    PublicField(
      key,
      read: { values, key, _ in
        guard let found = try values.decodeIfPresent(Value.self, forKey: key), found != value else {
          return
        }
        throw values.refusal(key, "expected \(value), found \(found) (not supported)")
      }, write: { _ in value })
  }

  /// What is written and not looked at.
  public static func constant(_ key: String, _ value: Any) -> PublicField {
    PublicField(key, read: { _, _, _ in }, write: { _ in value })
  }
}

extension KeyedDecodingContainer {
  /// A whole number. Read as one of double precision, because the decoder has no words for numbers
  /// that do not fit an integer; what is out of range stays so.
  public func size(_ key: Key) throws -> Int {
    let number = try decode(Double.self, forKey: key)
    guard number.rounded(.towardZero) == number else {
      throw refusal(key, "expected a whole number, found \(number)")
    }
    return Int(exactly: number) ?? (number < 0 ? .min : .max)
  }

  /// Whether there is something other than null.
  public func has(_ key: Key) -> Bool { contains(key) && (try? decodeNil(forKey: key)) == false }

  public func refusal(_ key: Key, _ words: String) -> DecodingError {
    .dataCorruptedError(forKey: key, in: self, debugDescription: words)
  }
}
