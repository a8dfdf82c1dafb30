/// The removal of spaces that splitting at punctuation has put into a text.
enum DecodedText {
  /// What becomes what, in this order. The decoder of the Hugging Face library applies the list to
  /// every token with its space; transformers applies it (but for " do not", which no decoded token
  /// holds) to the whole text.
  private static let replacements: [(from: [UInt8], to: [UInt8])] = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"),
    (" 'm", "'m"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ].map { (Array($0.0.utf8), Array($0.1.utf8)) }

  static func tidy(_ text: inout [UInt8]) {
    for (from, to) in replacements { text.replace(from, by: to) }
  }
}

extension [UInt8] {
  /// Replaces from left to right, without looking at what was put in.
  mutating func replace(_ pattern: [UInt8], by replacement: [UInt8]) {
    var result: [UInt8] = []
    var copied = 0
    var position = 0
    while position + pattern.count <= count {
      if self[position] == pattern[0], self[position...].starts(with: pattern) {
        result += self[copied..<position] + replacement
        position += pattern.count
        copied = position
      } else {
        position += 1
      }
    }
    if copied > 0 { self = result + self[copied...] }
  }
}
