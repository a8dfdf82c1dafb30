import Foundation

/// The words of a caption, taken from the front.
struct CaptionWords {
  private var rest: ArraySlice<String>

  /// In small letters; a comma is a word of its own, wherever blanks stand around it, since language
  /// models' tokens have them before it. A full stop at the end goes.
  init(_ text: String) {
    var words = text.lowercased().replacingOccurrences(of: ",", with: " , ")
      .split(whereSeparator: \.isWhitespace).map(String.init)
    if let last = words.last, last.hasSuffix(".") {
      words.removeLast()
      if last.count > 1 { words.append(String(last.dropLast())) }
    }
    rest = words[...]
  }

  var isEmpty: Bool { rest.isEmpty }
  var all: [String] { Array(rest) }

  /// Takes the words of the phrase if they come next.
  mutating func skip(_ phrase: String) -> Bool {
    let words = phrase.split(separator: " ").map(String.init)
    guard rest.starts(with: words) else { return false }
    rest = rest.dropFirst(words.count)
    return true
  }

  mutating func skipArticle() -> Bool { skip("a") || skip("an") }

  /// Takes the next word if it is among these.
  mutating func next(in words: Set<String>) -> String? {
    guard let word = rest.first, words.contains(word) else { return nil }
    return rest.popFirst()
  }

  /// Takes the phrase that comes next and gives what belongs to it. No phrase begins with another.
  mutating func next<Value>(of phrases: [(String, Value)]) -> Value? {
    for (phrase, value) in phrases where skip(phrase) { return value }
    return nil
  }

  /// Takes an article, perhaps a size, and a noun in the singular.
  mutating func thing() -> SceneCaption.Thing? {
    guard skipArticle() else { return nil }
    let size = next(of: SceneCaption.Size.allCases.map { ($0.rawValue, $0) })
    return noun().map { .init(noun: Noun(singular: $0), size: size) }
  }

  /// Takes one word that the grammar has no other use for.
  mutating func noun() -> String? {
    guard let word = rest.first, !Self.reserved.contains(word) else { return nil }
    return rest.popFirst()
  }

  private static let reserved = SceneCaption.colours.union(SceneCaption.numbers.map(\.0)).union([
    "a", "an", "the", "small", "big", "left", "right", "above", "below", "over", "under", "of",
    "to", "from", "on", "and", ",", "there", "is", "are", "top", "bottom", "picture",
  ])
}
