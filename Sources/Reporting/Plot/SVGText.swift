/// Text in an SVG file.
enum SVGText {
  /// The text as XML content or attribute: markup is escaped, and characters that XML forbids
  /// become U+FFFD.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case _ where isForbidden(scalar): result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
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
