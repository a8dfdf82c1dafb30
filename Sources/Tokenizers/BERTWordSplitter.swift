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
  /// Whether the receiver wants no more.
  private var isDone = false

  /// Hands the words of `text`, valid UTF-8, to `receiver` one after the other.
  mutating func split(_ text: UnsafeBufferPointer<UInt8>, _ receiver: Receiver) {
    // Decomposition and case mapping never look across a space, so that only the stretches between
    // spaces which hold more than ASCII need the slow way.
    var rest = text[...]
    while !rest.isEmpty, !isDone {
      let stretch = rest.prefix { $0 != UInt8(ascii: " ") }
      if stretch.allSatisfy({ $0 < 0x80 }) {
        for byte in stretch {
          if isDone { return }
          appendASCII(byte, receiver)
        }
      } else {
        splitUnicode(String(decoding: stretch, as: UTF8.self), receiver)
      }
      finishWord(receiver)
      rest = rest.dropFirst(stretch.count + 1)
    }
  }

  private mutating func appendASCII(_ byte: UInt8, _ receiver: Receiver) {
    switch Self.asciiClasses[Int(byte)] {
    case .letter:
      let isUpperCase = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      word.append(isUpperCase ? byte | 0x20 : byte)
      scalarCount += 1
    case .space:
      finishWord(receiver)
    case .punctuation:
      finishWord(receiver)
      word.append(byte)
      scalarCount = 1
      finishWord(receiver)
    case .dropped:
      break
    }
  }

  private mutating func splitUnicode(_ text: String, _ receiver: Receiver) {
    for scalar in text.unicodeScalars where !isDone {
      if scalar.isASCII, marks.isEmpty {
        appendASCII(UInt8(scalar.value), receiver)
        continue
      }
      if BERTCharacters.isDropped(scalar) { continue }
      let isIdeograph = BERTCharacters.isIdeograph(scalar)
      if isIdeograph || scalar.properties.isWhitespace {
        flushMarks(receiver)
        finishWord(receiver)
      }
      appendFolded(scalar, receiver)
      if isIdeograph { finishWord(receiver) }
    }
    flushMarks(receiver)
  }

  /// Appends what decomposition, removal of accents and lower-casing leave of `scalar`.
  ///
  /// Canonical order puts each run of marks in the order of their combining classes. It is done here,
  /// on the few marks that remain, because the general algorithm takes quadratic time on a text that
  /// consists of marks.
  private mutating func appendFolded(_ scalar: Unicode.Scalar, _ receiver: Receiver) {
    if BERTFolding.isStarter(scalar) { flushMarks(receiver) }
    if BERTCharacters.isNonspacingMark(scalar) { return }
    for folded in BERTFolding.folded(scalar) {
      if BERTFolding.isStarter(folded) { append(folded, receiver) } else { marks.append(folded) }
    }
  }

  private mutating func flushMarks(_ receiver: Receiver) {
    guard !marks.isEmpty else { return }
    let ordered = BERTFolding.canonicallyOrdered(marks)
    marks.removeAll(keepingCapacity: true)
    for mark in ordered { append(mark, receiver) }
  }

  private mutating func append(_ scalar: Unicode.Scalar, _ receiver: Receiver) {
    if scalar.isASCII { return appendASCII(UInt8(scalar.value), receiver) }
    if scalar.properties.isWhitespace { return finishWord(receiver) }
    let standsAlone = BERTCharacters.isPunctuation(scalar)
    if standsAlone { finishWord(receiver) }
    word.append(contentsOf: scalar.utf8)
    scalarCount += 1
    if standsAlone { finishWord(receiver) }
  }

  private mutating func finishWord(_ receiver: Receiver) {
    guard !word.isEmpty else { return }
    if !isDone { isDone = !word.withUnsafeBufferPointer { receiver($0, scalarCount) } }
    word.removeAll(keepingCapacity: true)
    scalarCount = 0
  }
}
