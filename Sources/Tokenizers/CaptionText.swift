/// The clean-up of texts before they reach a tokenizer, as in the authors' `BlipCaptionProcessor` and
/// `BlipQuestionProcessor` (LAVIS, `blip_processors.py`).
public enum CaptionText {
  /// Longer texts are cut after this many words.
  public static let maximumWordCount = 50

  /// A caption in lower case, with spaces for `. ! " ( ) * # : ; ~`, runs of white space made one
  /// space, none at the ends, and 50 words at most.
  ///
  /// A single tab or line feed between words stays, as in the original; tokenizers split there too.
  public static func cleaned(_ caption: String) -> String { firstWords(of: words(of: caption)) }

  /// Whether a caption has more than 50 words.
  public static func isCut(_ caption: String) -> Bool {
    words(of: caption).count { $0 == " " } >= maximumWordCount
  }

  private static func words(of caption: String) -> ArraySlice<Unicode.Scalar> {
    var result = squeezed(lowercased(caption).map { isRemoved($0) ? " " : $0 })
    while result.last == "\n" { result.removeLast() }
    while result.last == " " { result.removeLast() }
    return result.drop { $0 == " " }
  }

  /// A question in lower case, without the characters that `cleaned(_:)` replaces, without spaces at
  /// its end, and of 50 words at most.
  ///
  /// The original *removes* the characters here where in captions it puts spaces, and does not squeeze
  /// the spaces that are there, so that two in a row count as a word of no letters. A model trained on
  /// questions cleaned that way should get them so at evaluation; tokens differ only where a removed
  /// character stood between letters: `what's(this)` is one word less.
  public static func cleanedQuestion(_ question: String) -> String {
    var result = lowercased(question).filter { !isRemoved($0) }
    while result.last == " " { result.removeLast() }
    return firstWords(of: result[...])
  }

  private static func isRemoved(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case ".", "!", "\"", "(", ")", "*", "#", ":", ";", "~": true
    default: false
    }
  }

  private static func firstWords(of text: ArraySlice<Unicode.Scalar>) -> String {
    var spaceCount = 0
    let kept = text.prefix { scalar in
      if scalar == " " { spaceCount += 1 }
      return spaceCount < maximumWordCount
    }
    return String(String.UnicodeScalarView(kept))
  }

  /// Two and more white-space characters in a row become one space; a single one stays as it is.
  private static func squeezed(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var wasWhitespace = false
    for scalar in text {
      let isWhitespace = isWhitespaceInPython(scalar)
      if isWhitespace && wasWhitespace {
        result[result.count - 1] = " "
      } else {
        result.append(scalar)
      }
      wasWhitespace = isWhitespace
    }
    return result
  }

  /// `\s` of Python's regular expressions: Unicode's White_Space and four ASCII separators.
  private static func isWhitespaceInPython(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09...0x0D, 0x1C...0x20: true
    case ..<0x80: false
    default: scalar.properties.isWhitespace
    }
  }

  /// `str.lower()` of Python: the full lower-case mapping, and a capital sigma at the end of a word
  /// becomes a final one (Unicode, §3.13, Final_Sigma), which Swift's `lowercased()` leaves out.
  private static func lowercased(_ text: String) -> [Unicode.Scalar] {
    let scalars = Array(text.unicodeScalars)
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(scalars.count)
    for (index, scalar) in scalars.enumerated() {
      if scalar.isASCII {
        result.append(
          ("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar)
      } else if scalar == "Σ" {
        result.append(isFinalSigma(at: index, in: scalars) ? "ς" : "σ")
      } else {
        result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
      }
    }
    return result
  }

  private static func isFinalSigma(at index: Int, in scalars: [Unicode.Scalar]) -> Bool {
    let before = scalars[..<index].last { !$0.properties.isCaseIgnorable }
    let after = scalars[(index + 1)...].first { !$0.properties.isCaseIgnorable }
    return before?.properties.isCased == true && after?.properties.isCased != true
  }
}
