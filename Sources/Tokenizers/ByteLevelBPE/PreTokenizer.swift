/// How a byte-level tokenizer cuts text into the words within which tokens merge.
struct PreTokenizer: Equatable, Sendable {
  var pattern: WordPattern
  /// Whether each number character is a word by itself, cut out before the pattern looks.
  var isolatesDigits = false
  /// Whether a text that does not begin with a space gets one.
  var addsPrefixSpace = false

  /// Hands the words of `range` to `receive`, one after the other, as ranges.
  func forEachWord(
    in range: Range<Int>, of text: UnsafeBufferPointer<UInt8>, _ receive: (Range<Int>) -> Void
  ) {
    var scanner = WordScanner(text: text, end: range.upperBound)
    var position = range.lowerBound
    while position < range.upperBound {
      if isolatesDigits {
        let (scalarClass, byteCount) = ScalarClass.at(position, in: text)
        if scalarClass == .number {
          receive(position..<position + byteCount)
          position += byteCount
          continue
        }
        scanner.end = Self.firstNumber(in: position..<range.upperBound, of: text)
      }
      while position < scanner.end {
        let end = scanner.wordEnd(from: position, by: pattern)
        receive(position..<end)
        position = end
      }
    }
  }

  private static func firstNumber(
    in range: Range<Int>, of text: UnsafeBufferPointer<UInt8>
  ) -> Int {
    var position = range.lowerBound
    while position < range.upperBound {
      let (scalarClass, byteCount) = ScalarClass.at(position, in: text)
      if scalarClass == .number { break }
      position += byteCount
    }
    return position
  }
}
