/// Numbers of configuration files from outside.
extension KeyedDecodingContainer {
  /// A whole number. Read as one of double precision, because the decoder has no words for numbers
  /// that do not fit an integer; what is out of range stays so.
  public func size(_ key: Key) throws -> Int {
    let number = try decode(Double.self, forKey: key)
    guard number.rounded(.towardZero) == number else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: self, debugDescription: "expected a whole number, found \(number)")
    }
    return Int(exactly: number) ?? (number < 0 ? .min : .max)
  }

  /// A number that a file may leave out.
  public func number(_ key: Key, usually usual: Float) throws -> Float {
    try decodeIfPresent(Double.self, forKey: key).map { Float($0) } ?? usual
  }
}
