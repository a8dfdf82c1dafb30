/// A type whose values are written as one word, and how it reads and writes them.
///
/// Reading is stricter than YAML 1.1, where `no` is false, `010` is eight and `1:30` is ninety: a
/// truth value is `true` or `false`, and a number is decimal.
protocol ConfigurationScalar {
  /// What a value looks like, in the words of an error message: "a whole number".
  static var expectation: String { get }
  /// Reads a value, or gives nil where the text is not one.
  /// - Parameter isPlain: Whether the text was written without quotation marks.
  init?(scalar text: String, isPlain: Bool)
  /// The value's text, and whether it stands without quotation marks.
  var scalar: (text: String, isPlain: Bool) { get }
}

extension Bool: ConfigurationScalar {
  static var expectation: String { "true or false" }

  init?(scalar text: String, isPlain: Bool) {
    guard isPlain, let value = Bool(text) else { return nil }
    self = value
  }

  var scalar: (text: String, isPlain: Bool) { (String(self), true) }
}

extension String: ConfigurationScalar {
  static var expectation: String { "text" }

  init?(scalar text: String, isPlain: Bool) { self = text }

  /// Text that some reader of YAML would take for another type is written in quotation marks.
  var scalar: (text: String, isPlain: Bool) {
    let startsLikeText = first.map { $0.isLetter || $0 == "/" || $0 == "_" } ?? false
    return (self, startsLikeText && !Self.wordsOfOtherTypes.contains(lowercased()))
  }

  private static let wordsOfOtherTypes: Set = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null",
  ]
}

extension ConfigurationScalar where Self: FixedWidthInteger {
  static var expectation: String {
    self == Int.self ? "a whole number" : "a whole number from \(Self.min) to \(Self.max)"
  }

  init?(scalar text: String, isPlain: Bool) {
    let digits = text.drop { $0 == "-" || $0 == "+" }
    guard isPlain, digits.first != "0" || digits.count == 1, let value = Self(text) else {
      return nil
    }
    self = value
  }

  var scalar: (text: String, isPlain: Bool) { (String(self), true) }
}

extension Int: ConfigurationScalar {}
extension Int8: ConfigurationScalar {}
extension Int16: ConfigurationScalar {}
extension Int32: ConfigurationScalar {}
extension Int64: ConfigurationScalar {}
extension UInt: ConfigurationScalar {}
extension UInt8: ConfigurationScalar {}
extension UInt16: ConfigurationScalar {}
extension UInt32: ConfigurationScalar {}
extension UInt64: ConfigurationScalar {}

extension ConfigurationScalar where Self: BinaryFloatingPoint & LosslessStringConvertible {
  static var expectation: String { "a number" }

  /// Reads decimal numbers with or without a fraction and an exponent (`1e-4` included), and the
  /// YAML infinities. Not a number is not a number; nor is what overflows.
  init?(scalar text: String, isPlain: Bool) {
    guard isPlain else { return nil }
    switch text {
    case ".inf", "+.inf": self = .infinity
    case "-.inf": self = -.infinity
    default:
      // Leaves out what Swift reads beside decimals: hexadecimal, "inf" and "nan".
      guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }),
        let value = Self(text), value.isFinite
      else { return nil }
      self = value
    }
  }

  var scalar: (text: String, isPlain: Bool) {
    guard isInfinite else { return (description, true) }
    return (self < 0 ? "-.inf" : ".inf", true)
  }
}

extension Float: ConfigurationScalar {}
extension Double: ConfigurationScalar {}
