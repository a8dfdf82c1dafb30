/// A stretch of a text between tokens that stand in it for themselves, or such a token.
enum TextSegment {
  /// Never empty.
  case text(Range<Int>)
  case token(Int32)
}

extension TokenTrie {
  /// Public models have some thousand literals of some ten bytes.
  private static let maximumLiteralByteCount = 1024
  private static let maximumTotalByteCount = 1 << 20

  /// The tokens that stand in texts for themselves; none is empty.
  ///
  /// - Throws: `TokenizerError` where they are so long that looking for them would take very long, or
  ///   so many that the table would take much memory.
  init(literals: [(text: [UInt8], id: Int32)], file: String) throws {
    self.init()
    for (text, _) in literals where text.count > Self.maximumLiteralByteCount {
      throw TokenizerError.damaged(
        file: file, place: "added token \(TokenizerFile.excerpt(text))",
        expected: "at most \(Self.maximumLiteralByteCount) bytes", found: "\(text.count)")
    }
    let byteCount = literals.reduce(0) { $0 + $1.text.count }
    guard byteCount <= Self.maximumTotalByteCount else {
      throw TokenizerError.damaged(
        file: file, place: "added tokens",
        expected: "at most \(Self.maximumTotalByteCount) bytes in all", found: "\(byteCount)")
    }
    for (text, id) in literals { insert(text, id: id) }
  }

  /// Hands `text`, cut at the tokens of this trie, to `receive`: the leftmost token first, and of
  /// those that begin at the same place the longest.
  func forEachSegment(of text: UnsafeBufferPointer<UInt8>, _ receive: (TextSegment) -> Void) {
    var start = 0
    var position = 0
    while position < text.count {
      guard let token = longestMatch(in: text[position...]) else {
        position += 1
        continue
      }
      if start < position { receive(.text(start..<position)) }
      receive(.token(token.id))
      position += token.byteCount
      start = position
    }
    if start < text.count { receive(.text(start..<text.count)) }
  }
}
