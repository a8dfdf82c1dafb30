import Foundation
import Testing
import Tokenizers

/// Expected values are those of the authors' Python code.
@Suite struct CaptionTextTests {
  @Test(arguments: [
    ("", ""),
    ("   ", ""),
    ("A Dog.", "a dog"),
    ("  two  spaces \t\n inside  ", "two spaces inside"),
    ("(a) \"b\" *c* #d: e; f~ g!", "a b c d e f g"),
    ("a.b", "a b"),
    ("what? it's 5%, a-b & [c] {d} <e> $1", "what? it's 5%, a-b & [c] {d} <e> $1"),
    ("tab\tstays", "tab\tstays"),
    ("end.\n", "end"),
    ("end\n\n", "end"),
    ("\n", ""),
    ("\tfirst", "\tfirst"),
    ("a\u{A0}\u{2003}b", "a b"),
    ("a\u{1C}\u{1F}b", "a b"),
    ("line\r\nbreak", "line break"),
    ("e.\u{301}", "e \u{301}"),
    ("İ ẞ", "i\u{307} ß"),
    ("ΟΔΟΣ ΣΑΣ. Σ ΟΣ'Α ΟΣ'", "οδος σας σ οσ'α ος'"),
  ])
  func captions(text: String, expected: String) {
    #expect(bytes(CaptionText.cleaned(text)) == bytes(expected))
  }

  @Test(arguments: [
    ("", ""),
    ("What is (this)? ", "what is this?"),
    ("a.b  c", "ab  c"),
    (" lead", " lead"),
    ("end.  ", "end"),
    ("end. .", "end"),
  ])
  func questions(text: String, expected: String) {
    #expect(bytes(CaptionText.cleanedQuestion(text)) == bytes(expected))
  }

  @Test func fiftyWordsAreKept() {
    let words = (0..<60).map(String.init)
    let expected = words.prefix(50).joined(separator: " ")
    #expect(CaptionText.cleaned(words.joined(separator: ". ")) == expected)
    #expect(CaptionText.cleanedQuestion(words.joined(separator: " ")) == expected)
    #expect(CaptionText.cleaned(expected) == expected)
    // In questions a space too many counts as a word.
    let doubled = words.joined(separator: "  ")
    #expect(
      CaptionText.cleanedQuestion(doubled) == words.prefix(25).joined(separator: "  ") + " ")
  }
}
