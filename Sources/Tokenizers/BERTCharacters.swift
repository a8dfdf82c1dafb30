/// How BERT's tokenizer sees a code point.
///
/// The Hugging Face tokenizers library takes general categories from the tables of Unicode 8.0
/// (the Rust crate `unicode_categories`). Ids must not change with the Unicode version of this
/// program, so code points that were assigned later have no category here either.
enum BERTCharacters {
  /// Dropped from the text: control, format and private-use characters, NUL and U+FFFD.
  static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\t", "\n", "\r": return false
    case "\u{FFFD}": return true
    default: break
    }
    switch scalar.properties.generalCategory {
    case .control, .privateUse: return true
    case .format: return isInUnicode8(scalar)
    default: return false
    }
  }

  /// Ideographs, which become words of their own. Not kana and hangul, nor later extensions.
  static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F,
      0x2B740...0x2B81F, 0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      return true
    default:
      return false
    }
  }

  /// Accents, which are dropped after canonical decomposition.
  static func isNonspacingMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    // Marks whose category changed after Unicode 8.
    case "\u{1734}", "\u{1171E}": return true
    case "\u{1885}", "\u{1886}", "\u{A9BD}", "\u{111C9}": return false
    default: return scalar.properties.generalCategory == .nonspacingMark && isInUnicode8(scalar)
    }
  }

  /// Punctuation, each of which is a word of its own: that of Unicode, and all of ASCII that is
  /// neither letter nor digit, such as `$` and `+`.
  static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "!"..."/", ":"..."@", "["..."`", "{"..."~": return true
    case "\u{166D}", "\u{111C9}": return true  // In later versions they are not.
    default: break
    }
    switch scalar.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      return isInUnicode8(scalar)
    default:
      return false
    }
  }

  private static func isInUnicode8(_ scalar: Unicode.Scalar) -> Bool {
    guard let age = scalar.properties.age else { return false }
    return (age.major, age.minor) <= (8, 0)
  }
}
