import Foundation
import Testing

@testable import Tokenizers

/// Expected words are those of the `Split` pre-tokenizer of tokenizers 0.23 with the same expressions.
@Suite struct WordPatternTests {
  private func words(_ text: String, _ preTokenizer: PreTokenizer) -> [String] {
    var text = text
    var words: [String] = []
    text.withUTF8 { bytes in
      preTokenizer.forEachWord(of: bytes) {
        words.append(String(decoding: bytes[$0], as: UTF8.self))
      }
    }
    return words
  }

  @Test(arguments: [
    (
      "it's 12345 o'clock, isn't it?",
      ["it", "'s", " 12345", " o", "'", "clock", ",", " isn", "'t", " it", "?"]
    ),
    (
      "DON'T I'LL'VE 'S'\u{17F}",
      ["DON", "'", "T", " I", "'", "LL", "'", "VE", " '", "S", "'", "\u{17F}"]
    ),
    (
      "  two  spaces\n\nand \t\r\n lines \n x",
      [" ", " two", " ", " spaces", "\n", "\n", "and", " \t\r\n", " lines", " \n", " x"]
    ),
    (
      "a.\n\nb !\r\n",
      ["a", ".", "\n", "\n", "b", " !", "\r\n"]
    ),
    (
      "'' 'quoted' ''s",
      ["''", " '", "quoted", "'", " ''", "s"]
    ),
    (
      "1 22 333 4444  55555\u{BD}",
      ["1", " 22", " 333", " 4444", " ", " 55555\u{BD}"]
    ),
    (
      "\u{6F22}\u{5B57}\u{E9}\u{301}x \u{663}\u{2163}",
      ["\u{6F22}\u{5B57}\u{E9}", "\u{301}", "x", " \u{663}\u{2163}"]
    ),
    (
      "\u{A0}a\u{3000}b \u{85}c\u{2028}\u{180E}d",
      ["\u{A0}", "a", "\u{3000}", "b", " ", "\u{85}", "c", "\u{2028}", "\u{180E}", "d"]
    ),
    (
      "x_y-z  ",
      ["x", "_", "y", "-", "z", "  "]
    ),
    (
      " \n ",
      [" \n "]
    ),
    (
      "...\n\n...",
      ["...", "\n", "\n", "..."]
    ),
    (
      "\u{1F642}\u{200D}\u{1F642}a",
      ["\u{1F642}\u{200D}\u{1F642}", "a"]
    ),
  ])
  func gpt2(text: String, expected: [String]) {
    #expect(words(text, PreTokenizer(pattern: .gpt2)).map(bytes) == expected.map(bytes))
  }

  @Test(arguments: [
    (
      "it's 12345 o'clock, isn't it?",
      ["it", "'s", " ", "1", "2", "3", "4", "5", " o", "'", "clock", ",", " isn", "'t", " it", "?"]
    ),
    (
      "DON'T I'LL'VE 'S'\u{17F}",
      ["DON", "'", "T", " I", "'", "LL", "'", "VE", " '", "S", "'", "\u{17F}"]
    ),
    (
      "  two  spaces\n\nand \t\r\n lines \n x",
      [" ", " two", " ", " spaces", "\n", "\n", "and", " \t\r\n", " lines", " \n", " x"]
    ),
    (
      "a.\n\nb !\r\n",
      ["a", ".", "\n", "\n", "b", " !", "\r\n"]
    ),
    (
      "'' 'quoted' ''s",
      ["''", " '", "quoted", "'", " ''", "s"]
    ),
    (
      "1 22 333 4444  55555\u{BD}",
      [
        "1", " ", "2", "2", " ", "3", "3", "3", " ", "4", "4", "4", "4", "  ", "5", "5", "5", "5",
        "5", "\u{BD}",
      ]
    ),
    (
      "\u{6F22}\u{5B57}\u{E9}\u{301}x \u{663}\u{2163}",
      ["\u{6F22}\u{5B57}\u{E9}", "\u{301}", "x", " ", "\u{663}", "\u{2163}"]
    ),
    (
      "\u{A0}a\u{3000}b \u{85}c\u{2028}\u{180E}d",
      ["\u{A0}", "a", "\u{3000}", "b", " ", "\u{85}", "c", "\u{2028}", "\u{180E}", "d"]
    ),
    (
      "x_y-z  ",
      ["x", "_", "y", "-", "z", "  "]
    ),
    (
      " \n ",
      [" \n "]
    ),
    (
      "...\n\n...",
      ["...", "\n", "\n", "..."]
    ),
    (
      "\u{1F642}\u{200D}\u{1F642}a",
      ["\u{1F642}\u{200D}\u{1F642}", "a"]
    ),
  ])
  func digitsThenGPT2(text: String, expected: [String]) {
    #expect(
      words(text, PreTokenizer(pattern: .gpt2, isolatesDigits: true)).map(bytes)
        == expected.map(bytes))
  }

  @Test(arguments: [
    (
      "it's 12345 o'clock, isn't it?",
      ["it", "'s", " ", "123", "45", " o", "'clock", ",", " isn", "'t", " it", "?"]
    ),
    (
      "DON'T I'LL'VE 'S'\u{17F}",
      ["DON", "'T", " I", "'LL", "'VE", " '", "S", "'\u{17F}"]
    ),
    (
      "  two  spaces\n\nand \t\r\n lines \n x",
      [" ", " two", " ", " spaces", "\n\n", "and", " \t\r\n", " lines", " \n", " x"]
    ),
    (
      "a.\n\nb !\r\n",
      ["a", ".\n\n", "b", " !\r\n"]
    ),
    (
      "'' 'quoted' ''s",
      ["''", " '", "quoted", "'", " ''", "s"]
    ),
    (
      "1 22 333 4444  55555\u{BD}",
      ["1", " ", "22", " ", "333", " ", "444", "4", " ", " ", "555", "55\u{BD}"]
    ),
    (
      "\u{6F22}\u{5B57}\u{E9}\u{301}x \u{663}\u{2163}",
      ["\u{6F22}\u{5B57}\u{E9}", "\u{301}x", " ", "\u{663}\u{2163}"]
    ),
    (
      "\u{A0}a\u{3000}b \u{85}c\u{2028}\u{180E}d",
      ["\u{A0}a", "\u{3000}b", " ", "\u{85}c", "\u{2028}", "\u{180E}d"]
    ),
    (
      "x_y-z  ",
      ["x", "_y", "-z", "  "]
    ),
    (
      " \n ",
      [" \n", " "]
    ),
    (
      "...\n\n...",
      ["...\n\n", "..."]
    ),
    (
      "\u{1F642}\u{200D}\u{1F642}a",
      ["\u{1F642}\u{200D}\u{1F642}", "a"]
    ),
    // The long s is an s by case, the one with a cedilla is none.
    (
      "a'\u{17F}b a'\u{15F}b",
      ["a", "'\u{17F}", "b", " a", "'\u{15F}b"]
    ),
  ])
  func llama3(text: String, expected: [String]) {
    #expect(words(text, PreTokenizer(pattern: .llama3)).map(bytes) == expected.map(bytes))
  }

  /// Assigned in Unicode 17: neither a letter nor a digit for ids that do not change.
  @Test(arguments: [0x88F, 0xA7CE, 0x10940, 0x11DE0] as [UInt32])
  func codePointsOfLaterVersionsAreNoLetters(value: UInt32) throws {
    let scalar = try #require(Unicode.Scalar(value))
    let expected = ["a", String(scalar), "a"]
    #expect(words("a\(scalar)a", PreTokenizer(pattern: .gpt2)) == expected)
  }
}
