/// The regular expressions by which byte-level tokenizers cut text into words, written out as
/// scanners: one pass over the bytes, whatever they are.
enum WordPattern: Equatable, Sendable {
  /// No cuts at all.
  case whole
  /// GPT-2's (Radford et al. 2019), also of OPT, RoBERTa and SmolLM:
  /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
  case gpt2
  /// Llama 3's: contractions in either case, any one character in front of letters, at most three
  /// digits, line ends apart.
  case llama3

  /// The spellings under which `tokenizer.json` has them.
  static let spellings: [String: WordPattern] = [
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: .gpt2,
    #"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: .gpt2,
    #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"#
      + #"|\s*[\r\n]+|\s+(?!\S)|\s+"#: .llama3,
  ]
}

/// Finds the ends of words.
struct WordScanner {
  let text: UnsafeBufferPointer<UInt8>
  /// Where the text ends for the pattern.
  var end: Int

  /// Where the word that begins at `start`, which is in front of the end, ends.
  func wordEnd(from start: Int, by pattern: WordPattern) -> Int {
    switch pattern {
    case .whole: end
    case .gpt2: gpt2End(from: start)
    case .llama3: llama3End(from: start)
    }
  }

  private func gpt2End(from start: Int) -> Int {
    if let end = contractionEnd(from: start, ignoringCase: false) { return end }
    // ` ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+`
    let hasSpace = text[start] == UInt8(ascii: " ") && start + 1 < end
    let word = hasSpace ? start + 1 : start
    let wordClass = classAt(word).class
    return wordClass == .space ? spaceEnd(from: start) : runEnd(of: wordClass, from: word)
  }

  private func llama3End(from start: Int) -> Int {
    if let end = contractionEnd(from: start, ignoringCase: true) { return end }
    let first = classAt(start)
    // `\p{N}{1,3}`
    if first.class == .number { return runEnd(of: .number, from: start, limit: 3) }
    // `[^\r\n\p{L}\p{N}]?\p{L}+`
    let behind = start + first.byteCount
    if first.class == .letter { return runEnd(of: .letter, from: behind) }
    if !isLineEnd(start), behind < end, classAt(behind).class == .letter {
      return runEnd(of: .letter, from: behind)
    }
    // ` ?[^\s\p{L}\p{N}]+[\r\n]*`
    if first.class == .other { return behindLineEnds(runEnd(of: .other, from: behind)) }
    if text[start] == UInt8(ascii: " "), behind < end, classAt(behind).class == .other {
      return behindLineEnds(runEnd(of: .other, from: behind))
    }
    return lineEnd(from: start) ?? spaceEnd(from: start)
  }

  private func classAt(_ position: Int) -> (class: ScalarClass, byteCount: Int) {
    ScalarClass.at(position, in: text)
  }

  private func isLineEnd(_ position: Int) -> Bool {
    text[position] == UInt8(ascii: "\n") || text[position] == UInt8(ascii: "\r")
  }

  /// Where at most `limit` characters of a class end.
  private func runEnd(of runClass: ScalarClass, from start: Int, limit: Int = .max) -> Int {
    var position = start
    var count = 0
    while position < end, count < limit {
      let (scalarClass, byteCount) = classAt(position)
      guard scalarClass == runClass else { break }
      position += byteCount
      count += 1
    }
    return position
  }

  /// `\s+(?!\S)|\s+`: white space without its last character where a word follows; that character
  /// where it is the only one.
  private func spaceEnd(from start: Int) -> Int {
    let behind = runEnd(of: .space, from: start)
    guard behind < end else { return end }
    // The byte that begins the last character.
    let last = text[start..<behind].lastIndex { $0 & 0xC0 != 0x80 } ?? start
    return last > start ? last : behind
  }

  /// `\s*[\r\n]+`: white space up to the last line end in it; nil without any.
  private func lineEnd(from start: Int) -> Int? {
    (start..<runEnd(of: .space, from: start)).last(where: isLineEnd).map { $0 + 1 }
  }

  private func behindLineEnds(_ start: Int) -> Int {
    var position = start
    while position < end, isLineEnd(position) { position += 1 }
    return position
  }

  private static let contractions = ["s", "t", "re", "ve", "m", "ll", "d"].map { Array($0.utf8) }

  /// `'s|'t|'re|'ve|'m|'ll|'d`
  private func contractionEnd(from start: Int, ignoringCase: Bool) -> Int? {
    guard text[start] == UInt8(ascii: "'") else { return nil }
    let rest = text[start + 1..<end]
    let caseBit: UInt8 = ignoringCase ? 0x20 : 0
    let contraction = Self.contractions.first {
      rest.prefix($0.count).elementsEqual($0) { $0 | caseBit == $1 }
    }
    if let contraction { return start + 1 + contraction.count }
    // The long s is an s without case.
    return ignoringCase && rest.starts(with: "\u{17F}".utf8) ? start + 3 : nil
  }
}
