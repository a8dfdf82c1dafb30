/// A kind of token: what it looks like, where it ends and how it is written.
struct PTBRule {
  /// Where the token ends, of a match that looks further than the token reaches.
  enum End {
    case whole
    /// This many characters in front of the match's end.
    case before(Int)
    /// After this many characters of the match.
    case after(Int)
    /// In front of the first apostrophe, of which this many letters stand before it.
    case beforeApostrophe(Int)
    case afterPeriod
  }

  enum Writing {
    /// In small letters, without soft hyphens.
    case word
    /// The same, with a plain apostrophe.
    case contraction
    /// Spaces do not break, round brackets are spelled out.
    case spaced
    /// `&amp;` stands for itself.
    case company
    /// Curved quotation marks in the Treebank's spelling.
    case quotes
    case fixed(String)
    /// Left out of the caption.
    case nothing
  }

  let pattern: TextPattern
  let end: End
  let writing: Writing

  /// - Parameter parts: What the token looks like, one part after the other.
  init(_ writing: Writing, _ parts: TextPattern..., end: End = .whole) {
    pattern = .parts(parts)
    self.end = end
    self.writing = writing
  }
}

/// The tokens of captions. Of rules that match equally much, the first holds.
enum PTBRules {
  static let all = words + abbreviations + numbers + addresses + marks + faces

  // MARK: Characters

  static let capitals = ScalarSet(ranges: [0x41...0x5A])
  static let english = ScalarSet(ranges: [0x41...0x5A, 0x61...0x7A])
  static let englishOrDigit = ScalarSet(ranges: [0x30...0x39, 0x41...0x5A, 0x61...0x7A])
  static let plainLetters = english.union(ScalarSet("\u{AD}", kinds: [.letter]))
  static let digits = ScalarSet(ranges: [0x30...0x39], kinds: [.digit])
  static let whiteSpace = ScalarSet(" \t\n\u{B}\u{C}\r", kinds: [.space])

  static let space = TextPattern.set(" \u{A0}")
  static let digit = TextPattern.one(digits)
  static let plainDigit = TextPattern.set("0123456789")
  static let letterOrDigit = TextPattern.one(plainLetters.union(digits))
  /// Apostrophes that cannot be opening quotation marks.
  static let sureApostrophe = TextPattern.any(.set("\u{92}\u{2019}"), .text("&apos;"))
  static let apostrophe = TextPattern.any(.set("'"), sureApostrophe)
  static let quoteLike = TextPattern.any(apostrophe, .set("`\u{91}\u{2018}\u{201B}"))
  static let hyphen = TextPattern.set("-_\u{58A}\u{2010}\u{2011}")
  static let notLetter = TextPattern.any(.one(english.inverted), .one(whiteSpace))
  static let notLetterOrDigit = TextPattern.any(.one(englishOrDigit.inverted), .one(whiteSpace))

  // MARK: Words

  /// A letter, or one written as `&eacute;`.
  static let letter = TextPattern.any(
    .one(plainLetters.union(ScalarSet(kinds: [.mark]))),
    .sequence(
      .set("&"), .set("aeiouAEIOU"), .any(.text("acute"), .text("grave"), .text("uml")), .set(";")))
  static let word = TextPattern.sequence(letter, .zeroOrMore(.any(letter, digit)))
  static let suffixes = TextPattern.words("s m d re ve ll")
  static let suffix = TextPattern.sequence(apostrophe, suffixes)
  static let negation = TextPattern.sequence(.set("nN"), quoteLike, .set("tT"))

  /// Letters and digits; behind `d'`, `l'` or `o'` at least two.
  static let joined = TextPattern.sequence(
    .optional(.set("dDoOlL"), quoteLike, letterOrDigit), .oneOrMore(letterOrDigit))
  private static let compound = TextPattern.sequence(joined, .zeroOrMore(hyphen, joined))
  /// Between words without spaces a period does not end a sentence.
  private static let unspaced = TextPattern.sequence(word, .oneOrMore(.set(".!?"), word))
  /// `U.S.-based`, `dog,cat-like`, `non-U.S.`
  private static let hyphenated = TextPattern.sequence(
    .one(englishOrDigit), .zeroOrMore(.one(englishOrDigit.union(ScalarSet(".,\u{AD}")))),
    .oneOrMore(
      .set("-"),
      .any(
        .oneOrMore(.one(englishOrDigit.union(ScalarSet("\u{AD}")))),
        .sequence(acronym, .set(".")))))
  /// `AT&T`
  private static let company = TextPattern.sequence(
    .oneOrMore(.one(capitals)),
    .oneOrMore(.any(.set("+&"), .text("&amp;")), .oneOrMore(.one(capitals))))

  /// `U.S` without its last period.
  static let acronym = TextPattern.sequence(.one(english), .oneOrMore(.set("."), .one(english)))

  private static let words: [PTBRule] =
    PTBWords.fused.map { PTBRule(.word, .word($0.0), end: .after($0.1)) } + [
      PTBRule(.word, word, suffix, end: .beforeApostrophe(0)),
      PTBRule(
        .word, .zeroOrMore(.one(english)),
        .one(ScalarSet(ranges: [0x41...0x4D, 0x4F...0x5A, 0x61...0x6D, 0x6F...0x7A])), negation,
        end: .beforeApostrophe(1)),
      PTBRule(.contraction, negation),
      PTBRule(.contraction, .set("'"), suffixes, notLetter, end: .before(1)),
      PTBRule(.contraction, sureApostrophe, suffixes),
      PTBRule(.word, .any(word, compound, unspaced, hyphenated, slashed)),
      PTBRule(.company, company),
      // An unknown abbreviation, for all that follows.
      PTBRule(
        .company, .any(word, compound, unspaced, hyphenated, company), .set("."), .set(",;:"),
        end: .before(1)),
      PTBRule(.word, .any(.sequence(.set("cC"), .text("++")), .sequence(.set("cCfF"), .set("#")))),
    ] + apostropheWords

  private static let apostropheWords: [PTBRule] = [
    PTBRule(
      .word,
      .choice(
        PTBWords.apostropheWords.split(separator: " ").map { listed in
          .parts(listed.unicodeScalars.map { $0 == "'" ? apostrophe : .word(String($0)) })
        })),
    PTBRule(.word, .set("oO"), quoteLike, .set("oO")),
    PTBRule(.word, apostrophe, .set("nN"), apostrophe),
    PTBRule(.word, .set("'"), .set("nN"), .one(whiteSpace), end: .before(1)),
    PTBRule(.word, sureApostrophe, .set("nN")),
    PTBRule(.word, apostrophe, .words("em til till cause")),
    PTBRule(.word, apostrophe, .set("23456789"), .text("0s")),
    PTBRule(.word, apostrophe, plainDigit, plainDigit, .one(whiteSpace), end: .before(1)),
    PTBRule(.word, .set("'"), .words("tis twas"), end: .after(2)),
    PTBRule(.word, .set("lLdDjJ"), apostrophe),
    PTBRule(.word, .set("yY"), apostrophe, .one(wordLetters), end: .before(1)),
    PTBRule(
      .word, .one(ScalarSet("n", ranges: [0x41...0x48, 0x4A...0x58, 0x5A...0x5A])), quoteLike,
      .one(wordLetters), .oneOrMore(.one(wordLetters))),
    PTBRule(
      .word, .oneOrMore(.one(wordLetters)), .set("aeiouyAEIOUY"), quoteLike,
      .one(ScalarSet("aeiou").union(capitals)), .zeroOrMore(.one(wordLetters))),
  ]

  private static let wordLetters = english.union(ScalarSet(kinds: [.letter]))

  /// `and/or`, `black-and-white/colour`: at most two hyphens to a part, at most three parts.
  private static let slashed: TextPattern = {
    let part = TextPattern.sequence(
      .oneOrMore(.one(englishOrDigit)),
      .repeated(.sequence(.set("-"), .oneOrMore(.one(english))), 0...2))
    let next = TextPattern.sequence(.optional(.set("\\")), .set("/"), part)
    return .sequence(part, next, .optional(next))
  }()

  // MARK: Abbreviations

  /// With its period.
  private static let abbreviation = TextPattern.any(
    .sequence(.words(PTBWords.abbreviations), .set(".")),
    .choice(
      PTBWords.capitalisedAbbreviations.split(separator: " ").map {
        .sequence(.set($0.prefix(1).uppercased()), .word($0.dropFirst() + "."))
      }))

  private static let abbreviations: [PTBRule] = [
    PTBRule(.word, abbreviation),
    PTBRule(.word, .words("ph.d ed.d"), .set(".")),
    PTBRule(
      .word, .words(PTBWords.numberAbbreviations), .set("."), .optional(.one(whiteSpace)), digit,
      end: .afterPeriod),
    PTBRule(
      .word, .one(english), .set("."), .oneOrMore(.one(whiteSpace)),
      .any(
        .sequence(
          .choice(
            PTBWords.sentenceBeginnings.split(separator: " ").flatMap {
              [.text(String($0)), .text($0.uppercased())]
            }), .one(whiteSpace)), element),
      end: .after(1)),
    PTBRule(.word, .one(english), .set(".")),
    PTBRule(.word, acronym, .set(".")),
  ]
}
