/// Numbers, addresses, punctuation and faces.
extension PTBRules {
  // MARK: Numbers

  static let numbers: [PTBRule] =
    [
      PTBRule(
        .word, .optional(.set("+-")),
        .any(
          .oneOrMore(digit),
          .sequence(
            .zeroOrMore(digit), .oneOrMore(.set(".:,\u{AD}\u{66B}\u{66C}"), .oneOrMore(digit))))),
      PTBRule(
        .word, .repeated(digit, 1...2), .set("-/"), .repeated(digit, 1...2), .set("-/"),
        .repeated(digit, 2...4)),
      PTBRule(
        .spaced, .optional(.repeated(digit, 1...4), .set("- \u{A0}")), .repeated(digit, 1...4),
        .any(.set("/\u{2044}"), .text("\\/")), .repeated(digit, 1...4)),
      PTBRule(.spaced, telephone),
      PTBRule(
        .word, .optional(.set("\u{207A}\u{207B}\u{208A}\u{208B}")),
        .any(
          .oneOrMore(.one(ScalarSet("\u{B9}\u{B2}\u{B3}\u{2070}", ranges: [0x2074...0x2079]))),
          .oneOrMore(.one(ScalarSet(ranges: [0x2080...0x2089]))))),
      PTBRule(.word, .zeroOrMore(.one(capitals)), .set("$")),
      PTBRule(.fixed("#"), .set("£")),
      PTBRule(.fixed("$"), .set("\u{80}¤\u{20A0}€")),
      PTBRule(.fixed("cents"), .set("¢")),
    ] + fractions.map { PTBRule(.fixed($0.value), .set($0.key)) }

  private static let fractions: KeyValuePairs = [
    "¼": "1/4", "½": "1/2", "¾": "3/4", "\u{2153}": "1/3", "\u{2154}": "2/3",
  ]

  /// Groups of digits as in `(555) 555-1234`, `1-800-555-1234` or `22.333.444`. Years and sizes with
  /// single spaces between look the same.
  private static let telephone: TextPattern = {
    let gap = TextPattern.set("- \u{A0}")
    let country = TextPattern.optional(.any(.set("+"), .text("++")))
    func group(_ counts: ClosedRange<Int>) -> TextPattern { .repeated(plainDigit, counts) }
    return .any(
      .sequence(
        .any(
          .sequence(.set("("), group(2...3), .set(")"), .optional(space)),
          .sequence(country, .optional(group(2...4), gap), group(2...4), gap)),
        group(3...4), .optional(gap), group(3...5)),
      .sequence(
        .optional(country, group(2...4), .set(".")), group(2...4), .set("."), group(3...4),
        .set("."), group(3...5)))
  }()

  // MARK: Addresses

  static let addresses: [PTBRule] = {
    func other(than characters: String) -> TextPattern { .one(ScalarSet(characters).inverted) }
    func allBut(_ characters: String) -> TextPattern {
      .one(ScalarSet(characters).invertedButForPlainSpaces)
    }
    let scheme = TextPattern.sequence(.set("hH"), .word("ttp"), .optional(.set("sS")), .text("://"))
    let pathEnd = other(than: "\"<>|.!?(){},-")
    let path = TextPattern.sequence(.set("/"), .oneOrMore(allBut("\"<>|(){}")), pathEnd)
    let label = TextPattern.oneOrMore(allBut("\"<>|!?.,(){}"))
    let plainLabel = TextPattern.oneOrMore(
      .one(
        ScalarSet("\"'`<>|.!?,;:-_@$=^\\/()[]{}0123456789").union(capitals)
          .invertedButForPlainSpaces))
    let mailLabel = TextPattern.oneOrMore(other(than: "\"<>|(){}."))
    let mail = TextPattern.sequence(
      .optional(.set("<")), .one(englishOrDigit), .zeroOrMore(other(than: "\"<>|(){}")), .set("@"),
      .zeroOrMore(mailLabel, .set(".")), mailLabel, .optional(.set(">")))
    return [
      PTBRule(.word, scheme, .oneOrMore(allBut("\"<>|(){}")), pathEnd),
      PTBRule(
        .word,
        .any(
          .sequence(.word("www."), .oneOrMore(label, .set(".")), .repeated(.one(english), 2...4)),
          .sequence(
            .oneOrMore(plainLabel, .set(".")),
            .any(.text("com"), .text("net"), .text("org"), .text("edu")))),
        .optional(path)),
      PTBRule(.word, mail),
      PTBRule(
        .word, .set("@"), .one(english.union(ScalarSet("_"))),
        .zeroOrMore(.one(englishOrDigit.union(ScalarSet("_"))))),
      PTBRule(.word, .set("#"), .oneOrMore(letter)),
      PTBRule(
        .word, .oneOrMore(letterOrDigit), .zeroOrMore(.set("."), .oneOrMore(letterOrDigit)),
        .set("."), .words(PTBWords.fileEndings), .any(.one(whiteSpace), .set(".?!,")),
        end: .before(1)),
      PTBRule(.spaced, element),
    ]
  }()

  /// `<b>`, `<a href="x">`, `</b>`, `<!-- … -->`, `<?xml …?>`; words between angle brackets as well.
  static let element: TextPattern = {
    let name = TextPattern.sequence(
      .one(english), .zeroOrMore(.one(englishOrDigit.union(ScalarSet("_:.-")))))
    let blanks = TextPattern.set(" ")
    func quoted(_ mark: String) -> TextPattern {
      .sequence(
        .set(mark), .zeroOrMore(.any(.one(ScalarSet(mark).inverted), blanks)), .set(mark))
    }
    let attribute = TextPattern.sequence(
      .oneOrMore(blanks), name,
      .optional(
        .zeroOrMore(blanks), .set("="), .zeroOrMore(blanks), .any(quoted("'"), quoted("\""))))
    return .sequence(
      .set("<"),
      .any(
        .sequence(name, .zeroOrMore(attribute), .zeroOrMore(blanks), .optional(.set("/"))),
        .sequence(.set("/"), name, .zeroOrMore(blanks)),
        .sequence(
          .set("!?"), .one(english.union(ScalarSet("-"))),
          .zeroOrMore(.any(.one(ScalarSet(">").inverted), blanks)))),
      .set(">"))
  }()

  // MARK: Marks

  static let marks: [PTBRule] =
    [
      PTBRule(.nothing, .repeated(.set("-"), 1...4)),
      PTBRule(.word, .text("----"), .oneOrMore(.set("-"))),
      PTBRule(.nothing, .any(.set("–—―\u{96}\u{97}"), .words("&mdash; &ndash; &md;"))),
      PTBRule(.nothing, .any(.set("."), .repeated(.set("."), 3...5), .set("…"))),
      PTBRule(.nothing, .set("."), .repeated(.sequence(space, .set(".")), 2...4)),
      PTBRule(.nothing, .set(",;:?!")),
      PTBRule(.word, .set("?!"), .oneOrMore(.set("?!"))),
      PTBRule(.nothing, .any(.set("'\""), .text("''"), .text("&apos;"), .text("&quot;"))),
      PTBRule(.quotes, .repeated(.set("`‘’‛“”«»‹›\u{91}\u{92}\u{93}\u{94}"), 1...2)),
      PTBRule(.fixed("&"), .any(.set("&"), .word("&amp;"))),
      PTBRule(.fixed("<"), .any(.set("<"), .word("&lt;"))),
      PTBRule(.fixed(">"), .any(.set(">"), .word("&gt;"))),
      PTBRule(.nothing, .word("&nbsp;")),
      PTBRule(.word, .any(.text("&QUOT;"), .text("&APOS;"), .text("<<"), .text(">>"))),
      PTBRule(.word, .text("&#"), .oneOrMore(plainDigit), .set(";")),
      PTBRule(
        .word,
        .any(
          .oneOrMore(.set("*")), .repeated(.text("\\*"), 1...3), .oneOrMore(.set("#")),
          .oneOrMore(.set("_")), .oneOrMore(.set("@")))),
      PTBRule(.word, .one(ScalarSet("+=~^|/\\%", kinds: [.symbol]))),
    ] + brackets.map { PTBRule(.fixed($0.value), .set($0.key)) }

  private static let brackets: KeyValuePairs = [
    "(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-",
  ]

  // MARK: Faces

  static let faces: [PTBRule] = {
    let feature = TextPattern.set("-^x=~<>'")
    return [
      PTBRule(
        .spaced, .optional(.set("<>")), .set(":;="), .optional(.set("-o*'")),
        .set("()DPdpO\\{@|[]"), notLetterOrDigit, end: .before(1)),
      PTBRule(.spaced, feature, .set("_"), feature),
      PTBRule(.spaced, .set("("), feature, .optional(.set("_.")), feature, .set(")")),
    ]
  }()
}
