/// Keys that several sections share, declared once: those of the value stand among the section's own.
@propertyWrapper
public struct Inlined<Value: Codable>: Codable {
  public var wrappedValue: Value

  public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

  public init(from decoder: Decoder) throws {
    wrappedValue = try Value(from: decoder)
  }

  public func encode(to encoder: Encoder) throws { try wrappedValue.encode(to: encoder) }
}

extension Inlined: Equatable where Value: Equatable {}

extension Inlined: Sendable where Value: Sendable {}

/// Such keys of any type, for reflection and coding.
protocol AnyInlined {
  var value: any Codable { get }
}

extension Inlined: AnyInlined {
  var value: any Codable { wrappedValue }
}
