import Files

/// The notes of a GGUF file by key, such as `general.architecture` or `tokenizer.ggml.tokens`.
///
/// Each reader throws `WeightFileError.wrongMetadata`, which names the key, what was expected and
/// what was found, where the note is not there or of another kind.
public struct GGUFFields: Sendable {
  public let values: [String: GGUFValue]
  let file: MappedFile

  /// All keys, sorted.
  public var keys: [String] { values.keys.sorted() }

  public func contains(_ key: String) -> Bool { values[key] != nil }

  /// A whole number of any width.
  public func integer(_ key: String) throws -> Int {
    try require(values[key]?.integer, key, "a whole number")
  }

  /// A floating-point number; float64 is rounded to nearest.
  public func float(_ key: String) throws -> Float {
    try require(values[key]?.number, key, "a floating-point number")
  }

  public func bool(_ key: String) throws -> Bool {
    let flag: Bool? = if case .bool(let flag) = values[key] { flag } else { nil }
    return try require(flag, key, "true or false")
  }

  public func string(_ key: String) throws -> String {
    try require(values[key]?.text, key, "text")
  }

  public func strings(_ key: String) throws -> [String] {
    let texts = array(key)?.elements(of: [.string], \.text)
    return try require(texts, key, "an array of texts in UTF-8")
  }

  /// Whole numbers of any width.
  public func integers(_ key: String) throws -> [Int] {
    let numbers = array(key)?.elements(of: GGUFValueType.integral, \.integer)
    return try require(numbers, key, "an array of whole numbers")
  }

  public func floats(_ key: String) throws -> [Float] {
    let numbers = array(key)?.elements(of: GGUFValueType.floatingPoint, \.number)
    return try require(numbers, key, "an array of floating-point numbers")
  }

  private func array(_ key: String) -> GGUFArray? {
    if case .array(let array) = values[key] { array } else { nil }
  }

  private func require<Value>(_ value: Value?, _ key: String, _ expected: String) throws -> Value {
    guard let value else {
      throw WeightFileError.wrongMetadata(
        file: file.path, key: key, expected: expected, found: values[key]?.kind)
    }
    return value
  }
}
