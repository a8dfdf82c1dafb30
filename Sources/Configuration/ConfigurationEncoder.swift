/// Turns a configuration into a tree.
struct ConfigurationEncoder: Encoder, SingleValueEncodingContainer {
  let codingPath: [CodingKey]
  let userInfo: [CodingUserInfoKey: Any] = [:]
  /// Where the value goes. Containers outlive the encoder that made them, hence a reference.
  fileprivate let slot: Slot

  static func tree<Value: Encodable>(of value: Value) throws -> ConfigurationNode {
    let slot = Slot()
    try ConfigurationEncoder(codingPath: [], slot: slot).encode(value)
    return slot.node
  }

  func container<Key: CodingKey>(keyedBy _: Key.Type) -> KeyedEncodingContainer<Key> {
    slot.kind = .section
    return KeyedEncodingContainer(Section(encoder: self))
  }

  func unkeyedContainer() -> UnkeyedEncodingContainer {
    slot.kind = .list
    return List(encoder: self)
  }

  func singleValueContainer() -> SingleValueEncodingContainer { self }

  func encodeNil() throws { slot.kind = .scalar("null", isPlain: true) }

  func encode<Value: Encodable>(_ value: Value) throws {
    if let scalar = value as? any ConfigurationScalar {
      let (text, isPlain) = scalar.scalar
      slot.kind = .scalar(text, isPlain: isPlain)
    } else {
      try value.encode(to: self)
    }
  }

  /// An encoder of the next value of the list or section.
  fileprivate func encoder(_ key: CodingKey) -> ConfigurationEncoder {
    ConfigurationEncoder(codingPath: codingPath + [key], slot: slot.added(key.stringValue))
  }
}

/// A value under construction.
private final class Slot {
  enum Kind {
    case scalar(String, isPlain: Bool)
    case list
    case section
  }

  /// What encodes nothing at all is an empty section.
  var kind = Kind.section
  /// The values of a list or a section.
  private(set) var children: [(key: String, value: Slot)] = []

  /// A new slot after the others.
  func added(_ key: String) -> Slot {
    let slot = Slot()
    children.append((key, slot))
    return slot
  }

  var node: ConfigurationNode {
    let content: ConfigurationNode.Content
    switch kind {
    case .scalar(let text, let isPlain): content = .scalar(text, isPlain: isPlain)
    case .list: content = .list(children.map(\.value.node))
    case .section:
      content = .section(children.reduce(into: .init()) { $0[$1.key] = $1.value.node })
    }
    return ConfigurationNode(content: content, origin: .defaults)
  }
}

private struct Section<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let encoder: ConfigurationEncoder

  var codingPath: [CodingKey] { encoder.codingPath }

  func encodeNil(forKey key: Key) throws { try encoder.encoder(key).encodeNil() }
  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    try (value is any AnyInlined ? encoder : encoder.encoder(key)).encode(value)
  }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> { encoder.encoder(key).container(keyedBy: type) }
  func nestedUnkeyedContainer(forKey key: Key) -> UnkeyedEncodingContainer {
    encoder.encoder(key).unkeyedContainer()
  }
  func superEncoder() -> Encoder { encoder.encoder(ConfigurationSuperKey.super) }
  func superEncoder(forKey key: Key) -> Encoder { encoder.encoder(key) }
}

private struct List: UnkeyedEncodingContainer {
  let encoder: ConfigurationEncoder

  var codingPath: [CodingKey] { encoder.codingPath }
  var count: Int { encoder.slot.children.count }

  private var next: ConfigurationEncoder { encoder.encoder(ConfigurationIndex(count)) }

  func encodeNil() throws { try next.encodeNil() }
  func encode<Value: Encodable>(_ value: Value) throws { try next.encode(value) }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) -> KeyedEncodingContainer<Nested> { next.container(keyedBy: type) }
  func nestedUnkeyedContainer() -> UnkeyedEncodingContainer { next.unkeyedContainer() }
  func superEncoder() -> Encoder { next }
}
