import Foundation
import TestSupport
import Testing
import Tokenizers

@Suite struct WordPieceTokenizerTests {
  private let goldens: BERTGoldens
  private let tokenizer: WordPieceTokenizer

  init() throws {
    goldens = try BERTGoldens.load()
    tokenizer = try WordPieceTokenizer(
      vocabularyFile: Goldens.folder.appendingPathComponent("tokenizers/bert/vocab.txt"))
  }

  @Test func specialIdsAreThoseOfTheVocabulary() {
    #expect(tokenizer.padId == goldens.pad)
    #expect(tokenizer.unknownId == goldens.unk)
    #expect(tokenizer.classId == goldens.cls)
    #expect(tokenizer.separatorId == goldens.sep)
    #expect(tokenizer.maskId == goldens.mask)
    #expect(tokenizer.decoderId == goldens.dec)
    #expect(tokenizer.vocabularySize == 30523)
  }

  @Test func everyCaseEncodes() {
    #expect(!goldens.cases.isEmpty)
    for golden in goldens.cases {
      #expect(tokenizer.encode(golden.text) == golden.ids, "\(golden.text)")
      #expect(
        tokenizer.encodeWithSpecialTokens(golden.text, maximumLength: .max)
          == golden.withSpecialIds, "\(golden.text)")
      let realIds = zip(golden.paddedIds, golden.attentionMask).filter { $1 == 1 }.map(\.0)
      #expect(
        tokenizer.encodeWithSpecialTokens(golden.text, maximumLength: goldens.maxLength)
          == realIds, "\(golden.text)")
    }
  }

  @Test func everyCaseDecodes() {
    for golden in goldens.cases {
      let all = tokenizer.decode(golden.ids, skippingSpecialTokens: false)
      #expect(bytes(all) == bytes(golden.decoded), "\(golden.text)")
      let caption = tokenizer.decode(golden.paddedIds, skippingSpecialTokens: true)
      #expect(bytes(caption) == bytes(golden.decodedSkipSpecialCleaned), "\(golden.text)")
    }
  }

  @Test(arguments: 2...12)
  func cuttingKeepsTheSeparatorLast(length: Int) {
    let text = "unaffable [MASK] antidisestablishmentarianism"
    let all = tokenizer.encode(text)
    let cut = tokenizer.encodeWithSpecialTokens(text, maximumLength: length)
    #expect(cut == [tokenizer.classId] + all.prefix(length - 2) + [tokenizer.separatorId])
  }

  @Test func longWordsAreUnknown() {
    let longest = String(repeating: "a", count: 100)
    #expect(!tokenizer.encode(longest).contains(tokenizer.unknownId))
    #expect(tokenizer.encode(longest + "a") == [tokenizer.unknownId])
    // Code points count, not bytes, and only those that are left after the clean-up.
    let cyrillic = String(repeating: "ы", count: 100)
    #expect(!tokenizer.encode(cyrillic).contains(tokenizer.unknownId))
    #expect(tokenizer.encode(cyrillic + "ы") == [tokenizer.unknownId])
    let accented = String(repeating: "a\u{301}\u{AD}", count: 100)
    #expect(tokenizer.encode(accented) == tokenizer.encode(longest))
  }

  /// Values of tokenizers 0.23.3 for code points whose category changed after Unicode 8.0, the
  /// version its tables are of.
  @Test(arguments: [
    ("a\u{1734}b", "ab"), ("a\u{1171E}b", "ab"), ("a\u{166D}b", "a \u{166D} b"),
    ("a\u{111C9}b", "a \u{111C9} b"),
  ])
  func categoriesAreThoseOfUnicode8(text: String, equivalent: String) {
    #expect(tokenizer.encode(text) == tokenizer.encode(equivalent))
  }

  @Test(arguments: [0x1885, 0x1886, 0xA9BD, 0x7FD, 0x61D, 0x890, 0x2E43] as [UInt32])
  func codePointsWithoutCategoryInUnicode8StayInTheWord(value: UInt32) throws {
    let scalar = try #require(Unicode.Scalar(value))
    #expect(tokenizer.encode("a\(scalar)b") == [tokenizer.unknownId])
  }

  /// A text of nothing but combining marks takes quadratic time in many normalisers.
  @Test(
    .timeLimit(.minutes(10)),
    arguments: ["\u{301}\u{327}", "\u{302E}\u{1D165}", "[", "'", "漢"])
  func hostileTextsTakeLinearTime(unit: String) {
    let text = "a" + String(repeating: unit, count: 300_000)
    let ids = tokenizer.encodeWithSpecialTokens(text, maximumLength: 32)
    #expect((3...32).contains(ids.count))
    let all = tokenizer.encode(text)
    #expect(all.prefix(30) == ids[1..<ids.count - 1])
    #expect(!tokenizer.decode(all, skippingSpecialTokens: false).isEmpty)
  }

  @Test func idsOutsideTheVocabularyAreLeftOut() {
    let dog = tokenizer.encode("dog")
    let ids: [Int32] = [-1, .min] + dog + [30523, .max]
    #expect(tokenizer.decode(ids, skippingSpecialTokens: true) == "dog")
  }
}
