/// Text in an SVG file.
enum SVGText {
  /// The text as XML content or attribute: markup is escaped, and characters that XML forbids
  /// become U+FFFD.
  static func escaped(_ text: String) -> String {
    let allowed = text.unicodeScalars.map { isForbidden($0) ? "\u{FFFD}" : $0 }
    return String(String.UnicodeScalarView(allowed)).escapedForMarkup
  }

  private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control || scalar.value & 0xFFFE == 0xFFFE
  }

  /// About how wide a text is in a sans-serif type of the given size, rather too wide than too
  /// narrow: a program that draws nothing has no measures.
  static func width(_ text: String, size: Double) -> Double {
    text.reduce(0) { $0 + relativeWidth($1) } * size
  }

  private static func relativeWidth(_ character: Character) -> Double {
    guard character.isASCII else {
      let isWide = character.unicodeScalars.contains { $0.value >= 0x1100 }
      return isWide ? 1.1 : 0.75
    }
    if "iljtf.,:;|!'()[] ".contains(character) { return 0.36 }
    if "mwMW@%".contains(character) { return 0.95 }
    return character.isUppercase ? 0.72 : 0.6
  }

  /// The text, or its beginning and an ellipsis where it is wider.
  static func fitted(_ text: String, size: Double, width limit: Double) -> String {
    if width(text, size: size) <= limit { return text }
    var room = limit - width("…", size: size)
    let kept = text.prefix { character in
      room -= relativeWidth(character) * size
      return room >= 0
    }
    return kept + "…"
  }
}

extension String {
  /// The text with markup escaped: fit for elements of XML and HTML, and for attributes in quotes.
  package var escapedForMarkup: String {
    unicodeScalars.reduce(into: "") { text, scalar in
      switch scalar {
      case "&": text += "&amp;"
      case "<": text += "&lt;"
      case ">": text += "&gt;"
      case "\"": text += "&quot;"
      case "'": text += "&#39;"
      default: text.unicodeScalars.append(scalar)
      }
    }
  }
}
