/// A set of Unicode scalars: some named one by one, and whole kinds of those beyond ASCII.
struct ScalarSet: Hashable {
  private var scalars: Set<UInt32>
  private var kinds: Set<CaptionCharacter>
  private var isInverted = false

  init(_ text: String = "", ranges: [ClosedRange<UInt32>] = [], kinds: Set<CaptionCharacter> = []) {
    scalars = Set(text.unicodeScalars.map(\.value) + ranges.flatMap(Array.init))
    self.kinds = kinds
  }

  /// All that is neither here nor white space.
  var inverted: ScalarSet {
    var set = invertedButForPlainSpaces
    set.kinds.insert(.space)
    return set
  }

  /// All that is neither here nor one of ASCII's spaces.
  var invertedButForPlainSpaces: ScalarSet {
    var set = self
    set.isInverted = true
    set.scalars.formUnion([0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20])
    return set
  }

  func union(_ other: ScalarSet) -> ScalarSet {
    precondition(!isInverted && !other.isInverted, "only plain sets are joined")
    var set = self
    set.scalars.formUnion(other.scalars)
    set.kinds.formUnion(other.kinds)
    return set
  }

  /// The scalars beyond ASCII that are named one by one.
  var namedBeyondASCII: Set<UInt32> { scalars.filter { $0 >= 0x80 } }

  func contains(_ scalar: UInt32) -> Bool {
    let isNamed = scalars.contains(scalar)
    return (isNamed || scalar >= 0x80 && kinds.contains(CaptionCharacter(scalar))) != isInverted
  }

  /// Whether scalars of a kind that no set names are here.
  func contains(_ kind: CaptionCharacter) -> Bool { kinds.contains(kind) != isInverted }
}

/// What a piece of text may look like: a regular expression, made of its parts.
indirect enum TextPattern {
  case one(ScalarSet)
  case parts([TextPattern])
  case choice([TextPattern])
  /// Any number of times, also not at all.
  case loop(TextPattern)

  static func sequence(_ parts: TextPattern...) -> TextPattern { .parts(parts) }

  static func any(_ patterns: TextPattern...) -> TextPattern { .choice(patterns) }

  static func set(_ characters: String) -> TextPattern { .one(ScalarSet(characters)) }

  /// Exactly this text.
  static func text(_ text: String) -> TextPattern {
    .parts(text.unicodeScalars.map { .set(String($0)) })
  }

  /// This text in capitals, small letters, or both.
  static func word(_ text: String) -> TextPattern {
    .parts(text.unicodeScalars.map { .set(String($0).lowercased() + String($0).uppercased()) })
  }

  /// One of some words, in capitals, small letters, or both.
  static func words(_ list: String) -> TextPattern {
    .choice(list.split(separator: " ").map { .word(String($0)) })
  }

  static func optional(_ parts: TextPattern...) -> TextPattern {
    .choice([.parts([]), .parts(parts)])
  }

  static func zeroOrMore(_ parts: TextPattern...) -> TextPattern { .loop(.parts(parts)) }

  static func oneOrMore(_ parts: TextPattern...) -> TextPattern {
    .parts(parts + [.loop(.parts(parts))])
  }

  static func repeated(_ pattern: TextPattern, _ counts: ClosedRange<Int>) -> TextPattern {
    let needed = [TextPattern](repeating: pattern, count: counts.lowerBound)
    let allowed = [TextPattern](repeating: .optional(pattern), count: counts.count - 1)
    return .parts(needed + allowed)
  }
}
