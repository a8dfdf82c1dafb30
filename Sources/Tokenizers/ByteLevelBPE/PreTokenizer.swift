/// How a byte-level tokenizer cuts text into the words within which tokens merge.
struct PreTokenizer: Equatable, Sendable {
  var pattern: WordPattern
  /// Whether each number character is a word by itself, cut out before the pattern looks.
  var isolatesDigits = false
  /// Whether a text that does not begin with a space gets one.
  var addsPrefixSpace = false

  /// Hands the words of `text`, valid UTF-8, to `receive`, one after the other, as ranges.
  func forEachWord(of text: UnsafeBufferPointer<UInt8>, _ receive: (Range<Int>) -> Void) {
    var scanner = WordScanner(text: text, end: text.count)
    var position = 0
    while position < text.count {
      if isolatesDigits {
        let (scalarClass, byteCount) = ScalarClass.at(position, in: text)
        if scalarClass == .number {
          receive(position..<position + byteCount)
          position += byteCount
          continue
        }
        scanner.end = Self.firstNumber(from: position, in: text)
      }
      while position < scanner.end {
        let end = scanner.wordEnd(from: position, by: pattern)
        receive(position..<end)
        position = end
      }
    }
  }

  private static func firstNumber(from start: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
    var position = start
    while position < text.count {
      let (scalarClass, byteCount) = ScalarClass.at(position, in: text)
      if scalarClass == .number { break }
      position += byteCount
    }
    return position
  }
}
