/// Decodes a configuration from its tree, strictly, and notes each key that is asked for.
struct ConfigurationDecoder: Decoder, SingleValueDecodingContainer {
  let node: ConfigurationNode
  let codingPath: [CodingKey]
  let userInfo: [CodingUserInfoKey: Any] = [:]
  let asked: AskedKeys

  func container<Key: CodingKey>(keyedBy _: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .section(let section) = node.content else {
      throw wrongType(expected: "a section with keys")
    }
    return KeyedDecodingContainer(
      Section(decoder: self, section: section, path: codingPath.dotted))
  }

  func unkeyedContainer() throws -> UnkeyedDecodingContainer {
    guard case .list(let elements) = node.content else { throw wrongType(expected: "a list") }
    return List(decoder: self, elements: elements)
  }

  func singleValueContainer() throws -> SingleValueDecodingContainer { self }

  func decodeNil() -> Bool { node.isNull }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    if let scalarType = type as? any ConfigurationScalar.Type {
      guard let value = try scalar(scalarType) as? Value else {
        preconditionFailure("\(scalarType) is \(type)")
      }
      return value
    }
    do {
      return try Value(from: startingFromTemplate(of: type))
    } catch let error as DecodingError {
      throw configurationError(of: error, decoding: type)
    }
  }

  private func scalar<Value: ConfigurationScalar>(_: Value.Type) throws -> Value {
    guard case .scalar(let text, let isPlain) = node.content, !node.isNull,
      let value = Value(scalar: text, isPlain: isPlain)
    else { throw wrongType(expected: Value.expectation) }
    return value
  }

  /// This decoder, with the keys that are not given taken from the type's template, if it has one.
  private func startingFromTemplate(of type: Any.Type) throws -> ConfigurationDecoder {
    guard let element = type as? any ConfigurationElement.Type, case .section = node.content else {
      return self
    }
    let template = try ConfigurationEncoder.tree(of: element.template)
    return ConfigurationDecoder(
      node: template.overlaid(with: node), codingPath: codingPath, asked: asked)
  }

  fileprivate func decoder(_ node: ConfigurationNode, _ key: CodingKey) -> ConfigurationDecoder {
    ConfigurationDecoder(node: node, codingPath: codingPath + [key], asked: asked)
  }

  fileprivate func wrongType(expected: String) -> ConfigurationError {
    .wrongType(node.origin, field: name, expected: expected, found: node.summary)
  }

  private var name: String { codingPath.isEmpty ? "the configuration" : codingPath.dotted }

  /// What a type's own decoder refused: a word that is no case of an enumeration, mostly.
  private func configurationError(
    of error: DecodingError, decoding type: Any.Type
  ) -> ConfigurationError {
    if case .dataCorrupted = error, let words = ConfigurationDecoder.words(of: type) {
      return wrongType(expected: "one of \(words.joined(separator: ", "))")
    }
    switch error {
    case .keyNotFound(let key, let context):
      return .missingKey(
        node.origin, field: (context.codingPath + [key]).dotted, found: nil)
    case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context):
      return .refused(
        node.origin, field: context.codingPath.dotted, reason: context.debugDescription)
    @unknown default:
      return .refused(node.origin, field: name, reason: "\(error)".shortened)
    }
  }

  /// The words that a value of the type can be; nil where it is no choice among words.
  static func words(of type: Any.Type) -> [String]? {
    func words<Choice: CaseIterable & RawRepresentable>(_: Choice.Type) -> [String] {
      Choice.allCases.map { "\($0.rawValue)" }
    }
    return (type as? any (CaseIterable & RawRepresentable).Type).map { words($0) }
  }
}

private struct Section<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let decoder: ConfigurationDecoder
  let section: ConfigurationSection
  let path: String

  var codingPath: [CodingKey] { decoder.codingPath }
  var allKeys: [Key] { section.entries.compactMap { Key(stringValue: $0.key) } }

  func contains(_ key: Key) -> Bool {
    decoder.asked.insert(key.stringValue, inSection: path)
    return section[key.stringValue] != nil
  }

  private func decoder(_ key: CodingKey) throws -> ConfigurationDecoder {
    decoder.asked.insert(key.stringValue, inSection: path)
    guard let node = section[key.stringValue] else {
      let others = section.entries.filter { $0.value.origin != .defaults }.map(\.key)
      throw ConfigurationError.missingKey(
        decoder.node.origin, field: path.appendingKey(key.stringValue),
        found: KeySuggestion.nearest(to: key.stringValue, in: others))
    }
    return decoder.decoder(node, key)
  }

  func decodeNil(forKey key: Key) throws -> Bool { try decoder(key).decodeNil() }
  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    try type is any AnyInlined.Type ? decoder.decode(type) : decoder(key).decode(type)
  }
  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) throws -> KeyedDecodingContainer<Nested> { try decoder(key).container(keyedBy: type) }
  func nestedUnkeyedContainer(forKey key: Key) throws -> UnkeyedDecodingContainer {
    try decoder(key).unkeyedContainer()
  }
  func superDecoder() throws -> Decoder { try decoder(ConfigurationSuperKey.super) }
  func superDecoder(forKey key: Key) throws -> Decoder { try decoder(key) }
}

private struct List: UnkeyedDecodingContainer {
  let decoder: ConfigurationDecoder
  let elements: [ConfigurationNode]
  private(set) var currentIndex = 0

  var codingPath: [CodingKey] { decoder.codingPath }
  var count: Int? { elements.count }
  var isAtEnd: Bool { currentIndex >= elements.count }

  private mutating func next() throws -> ConfigurationDecoder {
    guard !isAtEnd else {
      throw decoder.wrongType(expected: "a list of more than \(elements.count) values")
    }
    defer { currentIndex += 1 }
    return decoder.decoder(elements[currentIndex], ConfigurationIndex(currentIndex))
  }

  mutating func decodeNil() throws -> Bool {
    guard !isAtEnd, elements[currentIndex].isNull else { return false }
    currentIndex += 1
    return true
  }
  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    try next().decode(type)
  }
  mutating func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) throws -> KeyedDecodingContainer<Nested> { try next().container(keyedBy: type) }
  mutating func nestedUnkeyedContainer() throws -> UnkeyedDecodingContainer {
    try next().unkeyedContainer()
  }
  mutating func superDecoder() throws -> Decoder { try next() }
}
