/// Splits captions as the public COCO evaluation does: Stanford's PTBTokenizer (CoreNLP 3.4.1,
/// `-preserveLines -lowerCase`) followed by pycocoevalcap's removal of punctuation.
///
/// Written from what that program does with some ten thousand strings. Like it, it keeps `-lrb-` for
/// a round bracket (the removal only knows capitals), `!!`, and marks such as `&`; it leaves out
/// emoji and other characters beyond Unicode's first plane. Where it differs:
/// - a line break inside a caption counts as a space whatever its kind, and a tag (`<b x>`) never
///   reaches over two captions; the original loses count of its lines then;
/// - every caption ends with a line break, also the last, where the original reads `etc.` or `:)`
///   differently because nothing follows;
/// - letters that Unicode has assigned since 2012 are kept, a capital sigma at a word's end becomes
///   the small one of a word's middle, and a token ends after 512 characters;
/// - `n't` straight behind some abbreviations' periods (`Mass.n't`) is not split off.
public struct PTBTokenizer {
  private var matcher = PatternMatcher(PTBRules.all.map(\.pattern))

  public init() {}

  /// The tokens of one caption, with a space between two. Those that stand for a number with a
  /// space, as `3 1/2`, hold a no-break space.
  public mutating func tokenize(_ caption: String) -> String { tokenize([caption])[0] }

  /// The tokens of several captions. As in the original a caption's last word may depend on how the
  /// next caption begins (`Plan B.`, `no.`), so that it matters which stand together.
  public mutating func tokenize(_ captions: [String]) -> [String] {
    var text: [UInt32] = []
    for caption in captions {
      for scalar in caption.unicodeScalars {
        text.append(Self.isLineBreak(scalar) ? 0x20 : scalar.value)
      }
      text.append(0x0A)
    }
    var lines: [String] = []
    lines.reserveCapacity(captions.count)
    var line = ""
    var place = 0
    while place < text.count {
      if text[place] == 0x0A {
        lines.append(line)
        line = ""
        place += 1
      } else if let match = matcher.longestMatch(in: text, from: place) {
        let rule = PTBRules.all[match.pattern]
        let end = rule.end.place(in: text, of: place..<match.end)
        if let token = rule.writing.token(text[place..<end]) {
          if !line.isEmpty { line += " " }
          line += token
        }
        place = end
      } else {
        // A character that no rule knows, or white space: all of it, so that no no-break space behind
        // another begin an address.
        let isSpace = Self.isSpace(text[place])
        place += 1
        while isSpace, place < text.count, Self.isSpace(text[place]) { place += 1 }
      }
    }
    return lines
  }

  private static func isSpace(_ scalar: UInt32) -> Bool {
    scalar == 0x20 || scalar == 0x09 || scalar >= 0x80 && CaptionCharacter(scalar) == .space
  }

  private static func isLineBreak(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0A...0x0D, 0x85, 0x2028, 0x2029: return true
    default: return false
    }
  }
}

extension PTBRule.End {
  /// Where the token ends whose rule matched so far; always behind its beginning.
  fileprivate func place(in text: [UInt32], of match: Range<Int>) -> Int {
    switch self {
    case .whole: return match.upperBound
    case .before(let count): return match.upperBound - count
    case .after(let count): return match.lowerBound + count
    case .beforeApostrophe(let letters):
      let mark = match.last { Self.apostrophes.contains(text[$0]) } ?? match.upperBound
      return mark - letters
    case .afterPeriod:
      return (match.first { text[$0] == 0x2E } ?? match.upperBound - 1) + 1
    }
  }

  /// `&` begins `&apos;`.
  private static let apostrophes: Set<UInt32> = [
    0x26, 0x27, 0x60, 0x91, 0x92, 0x2018, 0x2019, 0x201B,
  ]
}

extension PTBRule.Writing {
  /// The token's text; nil where it is left out.
  fileprivate func token(_ scalars: ArraySlice<UInt32>) -> String? {
    switch self {
    case .nothing: return nil
    case .fixed(let text): return text
    case .word:
      let text = Self.string(scalars)
      return text.isEmpty ? nil : text
    case .company: return Self.string(scalars).replacing("&amp;", with: "&")
    case .contraction:
      let text = Self.string(scalars)
      return text.hasPrefix("&") || text.contains("&apos;")
        ? text.replacing("&apos;", with: "'") : Self.plain(text)
    case .quotes:
      // Two at once are kept unless they look like one of the marks that are removed.
      let text = scalars.map { Self.quotation($0) }.joined()
      return ["'", "`", "''", "``"].contains(text) ? nil : text
    case .spaced:
      return Self.string(scalars).reduce(into: "") { text, character in
        switch character {
        case " ": text += "\u{A0}"
        case "(": text += "-lrb-"
        case ")": text += "-rrb-"
        default: text.append(character)
        }
      }
    }
  }

  /// In small letters and without soft hyphens.
  private static func string(_ scalars: ArraySlice<UInt32>) -> String {
    var text = String.UnicodeScalarView()
    for value in scalars where value != 0xAD {
      if let scalar = Unicode.Scalar(value) { text.append(scalar) }
    }
    return String(text).lowercased()
  }

  private static func quotation(_ scalar: UInt32) -> String {
    switch scalar {
    case 0x60, 0x91, 0x2018, 0x201B, 0x2039: return "`"
    case 0x93, 0x201C, 0xAB: return "``"
    case 0x94, 0x201D, 0xBB: return "''"
    default: return "'"
    }
  }

  private static func plain(_ text: String) -> String {
    String(
      text.map { character in
        switch character {
        case "’", "\u{92}": return "'"
        case "‘", "‛", "\u{91}": return "`"
        default: return character
        }
      })
  }
}
