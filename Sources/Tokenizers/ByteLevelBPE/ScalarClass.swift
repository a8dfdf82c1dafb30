/// What the patterns of byte-level tokenizers tell code points apart by.
enum ScalarClass: UInt8 {
  /// `\p{L}`
  case letter
  /// `\p{N}`
  case number
  /// `\s`
  case space
  /// `[^\s\p{L}\p{N}]`
  case other

  /// The class and the length in bytes of the code point that begins at `position` of valid UTF-8.
  @inline(__always)
  static func at(
    _ position: Int, in text: UnsafeBufferPointer<UInt8>
  ) -> (class: ScalarClass, byteCount: Int) {
    let first = text[position]
    if first < 0x80 { return (table[Int(first)], 1) }
    var value = UInt32(first)
    let byteCount = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    value &= first < 0xE0 ? 0x1F : first < 0xF0 ? 0x0F : 0x07
    for offset in 1..<byteCount { value = value << 6 | UInt32(text[position + offset] & 0x3F) }
    if value < UInt32(table.count) { return (table[Int(value)], byteCount) }
    return (Unicode.Scalar(value).map(compute) ?? .other, byteCount)
  }

  /// The classes of the basic plane; surrogates, which UTF-8 does not have, among `other`.
  private static let table: [ScalarClass] = (UInt32(0)..<0x10000).map {
    Unicode.Scalar($0).map(compute) ?? .other
  }

  /// Ids must not change with the Unicode version of this program: code points are as in Unicode 16,
  /// the version in the regular expressions of tokenizers 0.23, and those assigned later are `other`.
  private static func compute(_ scalar: Unicode.Scalar) -> ScalarClass {
    let properties = scalar.properties
    guard let age = properties.age, (age.major, age.minor) <= (16, 0) else { return .other }
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return .letter
    case .decimalNumber, .letterNumber, .otherNumber:
      return .number
    default:
      return properties.isWhitespace ? .space : .other
    }
  }
}
