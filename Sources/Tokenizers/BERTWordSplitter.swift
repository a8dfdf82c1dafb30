/// Cuts text into the words that WordPiece then cuts into tokens: the clean-up, lower-casing,
/// accent-stripping and punctuation-splitting of bert-base-uncased (Devlin et al. 2019), as the
/// `BertNormalizer` and `BertPreTokenizer` of the Hugging Face tokenizers library do it.
struct BERTWordSplitter {
  /// Takes a word's UTF-8 bytes and its number of code points; returns whether to go on.
  typealias Receiver = (_ word: UnsafeBufferPointer<UInt8>, _ scalarCount: Int) -> Bool

  private enum ASCIIClass {
    case letter, space, punctuation, dropped
  }

  private static let asciiClasses: [ASCIIClass] = (UInt8(0)..<128).map { byte in
    let scalar = Unicode.Scalar(byte)
    if scalar.properties.isWhitespace && !BERTCharacters.isDropped(scalar) { return .space }
    if BERTCharacters.isDropped(scalar) { return .dropped }
    return BERTCharacters.isPunctuation(scalar) ? .punctuation : .letter
  }

  private var word: [UInt8] = []
  private var scalarCount = 0
  /// Combining marks that may still have to change places.
  private var marks: [Unicode.Scalar] = []

  /// Hands the words of `text`, valid UTF-8, to `receiver` one after the other.
  ///
  /// - Returns: Whether `receiver` wanted to go on at the end.
  mutating func split(_ text: UnsafeBufferPointer<UInt8>, _ receiver: Receiver) -> Bool {
    // Decomposition and case mapping never look across a space, so that only the stretches between
    // spaces which hold more than ASCII need the slow way.
    var rest = text[...]
    while !rest.isEmpty {
      let stretch = rest.prefix { $0 != UInt8(ascii: " ") }
      let wantsMore =
        stretch.allSatisfy { $0 < 0x80 }
        ? stretch.allSatisfy { appendASCII($0, receiver) }
        : splitUnicode(String(decoding: stretch, as: UTF8.self), receiver)
      guard wantsMore, finishWord(receiver) else { return false }
      rest = rest.dropFirst(stretch.count + 1)
    }
    return true
  }

  private mutating func appendASCII(_ byte: UInt8, _ receiver: Receiver) -> Bool {
    switch Self.asciiClasses[Int(byte)] {
    case .letter:
      let isUpperCase = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      word.append(isUpperCase ? byte | 0x20 : byte)
      scalarCount += 1
      return true
    case .space:
      return finishWord(receiver)
    case .punctuation:
      guard finishWord(receiver) else { return false }
      word.append(byte)
      scalarCount = 1
      return finishWord(receiver)
    case .dropped:
      return true
    }
  }

  private mutating func splitUnicode(_ text: String, _ receiver: Receiver) -> Bool {
    for scalar in text.unicodeScalars {
      if scalar.isASCII, marks.isEmpty {
        guard appendASCII(UInt8(scalar.value), receiver) else { return false }
        continue
      }
      if BERTCharacters.isDropped(scalar) { continue }
      let isIdeograph = BERTCharacters.isIdeograph(scalar)
      if isIdeograph || scalar.properties.isWhitespace {
        guard flushMarks(receiver), finishWord(receiver) else { return false }
      }
      guard appendFolded(scalar, receiver) else { return false }
      if isIdeograph, !finishWord(receiver) { return false }
    }
    return flushMarks(receiver)
  }

  /// Appends what decomposition, removal of accents and lower-casing leave of `scalar`.
  ///
  /// Canonical order puts each run of marks in the order of their combining classes. It is done here,
  /// on the few marks that remain, because the general algorithm takes quadratic time on a text that
  /// consists of marks.
  private mutating func appendFolded(_ scalar: Unicode.Scalar, _ receiver: Receiver) -> Bool {
    if BERTFolding.isStarter(scalar), !flushMarks(receiver) { return false }
    if BERTCharacters.isNonspacingMark(scalar) { return true }
    for folded in BERTFolding.folded(scalar) {
      if BERTFolding.isStarter(folded) {
        guard append(folded, receiver) else { return false }
      } else {
        marks.append(folded)
      }
    }
    return true
  }

  private mutating func flushMarks(_ receiver: Receiver) -> Bool {
    guard !marks.isEmpty else { return true }
    let ordered = BERTFolding.canonicallyOrdered(marks)
    marks.removeAll(keepingCapacity: true)
    return ordered.allSatisfy { append($0, receiver) }
  }

  private mutating func append(_ scalar: Unicode.Scalar, _ receiver: Receiver) -> Bool {
    if scalar.isASCII { return appendASCII(UInt8(scalar.value), receiver) }
    if scalar.properties.isWhitespace { return finishWord(receiver) }
    let standsAlone = BERTCharacters.isPunctuation(scalar)
    if standsAlone, !finishWord(receiver) { return false }
    word.append(contentsOf: scalar.utf8)
    scalarCount += 1
    return standsAlone ? finishWord(receiver) : true
  }

  private mutating func finishWord(_ receiver: Receiver) -> Bool {
    guard !word.isEmpty else { return true }
    let wantsMore = word.withUnsafeBufferPointer { receiver($0, scalarCount) }
    word.removeAll(keepingCapacity: true)
    scalarCount = 0
    return wantsMore
  }
}
