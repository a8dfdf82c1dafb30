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
    let number: Int? =
      switch values[key] {
      case .unsigned(let number): Int(exactly: number)
      case .signed(let number): Int(exactly: number)
      default: nil
      }
    return try require(number, key, "a whole number")
  }

  /// A floating-point number; float64 is rounded to nearest.
  public func float(_ key: String) throws -> Float {
    let number: Float? = if case .float(let number) = values[key] { Float(number) } else { nil }
    return try require(number, key, "a floating-point number")
  }

  public func bool(_ key: String) throws -> Bool {
    let flag: Bool? = if case .bool(let flag) = values[key] { flag } else { nil }
    return try require(flag, key, "true or false")
  }

  public func string(_ key: String) throws -> String {
    let text: String? = if case .string(let text) = values[key] { text } else { nil }
    return try require(text, key, "text")
  }

  public func strings(_ key: String) throws -> [String] {
    try require(array(key)?.strings(), key, "an array of texts in UTF-8")
  }

  /// Whole numbers of any width.
  public func integers(_ key: String) throws -> [Int] {
    try require(array(key)?.integers(), key, "an array of whole numbers")
  }

  public func floats(_ key: String) throws -> [Float] {
    try require(array(key)?.floats(), key, "an array of floating-point numbers")
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
