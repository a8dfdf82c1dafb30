/// A section that the defaults hold no example of: an element of a list, or a section that is null
/// by default.
///
/// A list in a file replaces the default list as a whole, so that its elements have no defaults of
/// their own to start from. Each element of a conforming type starts from `template` instead, and a
/// file need only name the keys that differ.
public protocol ConfigurationElement: Codable {
  /// The values of the keys that are not given.
  static var template: Self { get }
}

/// An optional configuration value that is written as `null` where there is none.
///
/// A plain optional is left out of the resolved configuration when it is nil; a reader of the file
/// then cannot see that the key exists.
@propertyWrapper
public struct Nullable<Value: Codable>: Codable {
  public var wrappedValue: Value?

  public init(wrappedValue: Value?) {
    self.wrappedValue = wrappedValue
  }

  public init(from decoder: Decoder) throws {
    let container = try decoder.singleValueContainer()
    wrappedValue = container.decodeNil() ? nil : try container.decode(Value.self)
  }

  public func encode(to encoder: Encoder) throws {
    var container = encoder.singleValueContainer()
    if let wrappedValue {
      try container.encode(wrappedValue)
    } else {
      try container.encodeNil()
    }
  }
}

extension Nullable: Equatable where Value: Equatable {}
extension Nullable: Hashable where Value: Hashable {}
extension Nullable: Sendable where Value: Sendable {}

extension KeyedDecodingContainer {
  /// Reads a nullable value; synthesised decoders choose this overload, so that the key may be
  /// missing.
  public func decode<Value>(_: Nullable<Value>.Type, forKey key: Key) throws -> Nullable<Value> {
    try decodeIfPresent(Nullable<Value>.self, forKey: key) ?? Nullable(wrappedValue: nil)
  }
}
