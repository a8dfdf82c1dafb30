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
    slot.becomeSection()
    return KeyedEncodingContainer(Section(codingPath: codingPath, slot: slot))
  }

  func unkeyedContainer() -> UnkeyedEncodingContainer {
    slot.becomeList()
    return List(codingPath: codingPath, slot: slot)
  }

  func singleValueContainer() -> SingleValueEncodingContainer { self }

  func encodeNil() throws { slot.content = .scalar("null", isPlain: true) }

  func encode<Value: Encodable>(_ value: Value) throws {
    if let scalar = value as? any ConfigurationScalar {
      let (text, isPlain) = scalar.scalar
      slot.content = .scalar(text, isPlain: isPlain)
    } else {
      try value.encode(to: self)
    }
  }
}

/// A value under construction.
private final class Slot {
  enum Content {
    case scalar(String, isPlain: Bool)
    case list([Slot])
    case section([(key: String, value: Slot)])
  }

  /// What encodes nothing at all is an empty section.
  var content = Content.section([])

  func becomeList() {
    if case .list = content { return }
    content = .list([])
  }

  func becomeSection() {
    if case .section = content { return }
    content = .section([])
  }

  var elements: [Slot] {
    guard case .list(let elements) = content else { return [] }
    return elements
  }

  /// A new slot at the end of the list.
  func appended() -> Slot {
    let slot = Slot()
    content = .list(elements + [slot])
    return slot
  }

  /// A new slot under a key of the section.
  func added(_ key: CodingKey) -> Slot {
    let slot = Slot()
    if case .section(let entries) = content {
      content = .section(entries + [(key.stringValue, slot)])
    }
    return slot
  }

  var node: ConfigurationNode {
    switch content {
    case .scalar(let text, let isPlain):
      return ConfigurationNode(content: .scalar(text, isPlain: isPlain), origin: .defaults)
    case .list(let elements):
      return ConfigurationNode(content: .list(elements.map(\.node)), origin: .defaults)
    case .section(let entries):
      var section = ConfigurationSection()
      for (key, value) in entries { section[key] = value.node }
      return ConfigurationNode(content: .section(section), origin: .defaults)
    }
  }
}

private struct Section<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let codingPath: [CodingKey]
  let slot: Slot

  private func encoder(_ key: CodingKey) -> ConfigurationEncoder {
    ConfigurationEncoder(codingPath: codingPath + [key], slot: slot.added(key))
  }

  func encodeNil(forKey key: Key) throws { try encoder(key).encodeNil() }
  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    let isInlined = value is any AnyInlined
    try (isInlined ? ConfigurationEncoder(codingPath: codingPath, slot: slot) : encoder(key))
      .encode(value)
  }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> { encoder(key).container(keyedBy: type) }
  func nestedUnkeyedContainer(forKey key: Key) -> UnkeyedEncodingContainer {
    encoder(key).unkeyedContainer()
  }
  func superEncoder() -> Encoder { encoder(ConfigurationSuperKey()) }
  func superEncoder(forKey key: Key) -> Encoder { encoder(key) }
}

private struct List: UnkeyedEncodingContainer {
  let codingPath: [CodingKey]
  let slot: Slot
  var count: Int { slot.elements.count }

  private var next: ConfigurationEncoder {
    ConfigurationEncoder(
      codingPath: codingPath + [ConfigurationIndex(count)], slot: slot.appended())
  }

  func encodeNil() throws { try next.encodeNil() }
  func encode<Value: Encodable>(_ value: Value) throws { try next.encode(value) }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) -> KeyedEncodingContainer<Nested> { next.container(keyedBy: type) }
  func nestedUnkeyedContainer() -> UnkeyedEncodingContainer { next.unkeyedContainer() }
  func superEncoder() -> Encoder { next }
}
