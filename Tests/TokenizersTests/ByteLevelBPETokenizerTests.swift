import Foundation
import Testing

@testable import Tokenizers

@Suite struct ByteLevelBPETokenizerTests {
  private let goldens: GPT2Goldens
  private let gpt2: ByteLevelBPETokenizer
  private let opt: ByteLevelBPETokenizer

  init() throws {
    goldens = try GPT2Goldens.load()
    gpt2 = try ByteLevelBPETokenizer(
      vocabularyFile: GPT2Goldens.vocabularyFile, mergesFile: GPT2Goldens.mergesFile,
      special: GPT2Goldens.gpt2Special)
    opt = try ByteLevelBPETokenizer(
      vocabularyFile: GPT2Goldens.vocabularyFile, mergesFile: GPT2Goldens.mergesFile,
      special: GPT2Goldens.optSpecial,
      added: goldens.addedTokens.map {
        AddedToken(text: Array($0.key.utf8), id: $0.value, isSpecial: false)
      })
  }

  @Test func specialIds() {
    #expect(opt.startId == goldens.bos)
    #expect(opt.endId == goldens.eos)
    #expect(opt.padId == goldens.pad)
    #expect(opt.vocabularySize == 50259)
    #expect(gpt2.startId == nil)
    #expect(gpt2.padId == gpt2.endId)
    #expect(gpt2.vocabularySize == 50257)
  }

  @Test func everyCaseEncodes() throws {
    #expect(!goldens.cases.isEmpty)
    let start = try #require(opt.startId)
    for golden in goldens.cases {
      #expect(gpt2.encode(golden.text) == golden.ids, "\(golden.text)")
      let optIds = [start] + opt.encode(golden.text)
      #expect(optIds == golden.optIds, "\(golden.text)")
      let real = zip(golden.optPaddedIds, golden.optAttentionMask).filter { $1 == 1 }.map(\.0)
      #expect(Array(optIds.prefix(golden.optPaddedIds.count)) == real, "\(golden.text)")
    }
  }

  @Test func everyCaseDecodes() {
    for golden in goldens.cases {
      let decoded = gpt2.decode(golden.ids, skippingSpecialTokens: false)
      #expect(bytes(decoded) == bytes(golden.decoded), "\(golden.text)")
      let all = opt.decode(Array(golden.optIds.dropFirst()), skippingSpecialTokens: false)
      #expect(bytes(all) == bytes(golden.text), "\(golden.text)")
      if !golden.text.contains("</s>") {
        let text = opt.decode(golden.optPaddedIds, skippingSpecialTokens: true)
        #expect(golden.optPaddedIds.contains(opt.padId) == false || text == golden.text)
      }
    }
  }

  @Test func specialTokensAreSkippedOnRequest() {
    let ids = opt.encode("</s>a dog<pad>")
    #expect(opt.decode(ids, skippingSpecialTokens: true) == "a dog")
    #expect(opt.decode(ids, skippingSpecialTokens: false) == "</s>a dog<pad>")
  }

  @Test func idsOutsideTheVocabularyAreLeftOut() {
    let ids: [Int32] = [-1, .min] + gpt2.encode("dog") + [50257, .max]
    #expect(gpt2.decode(ids, skippingSpecialTokens: false) == "dog")
  }

  @Test func bytesThatAreNoTextBecomeReplacementCharacters() throws {
    let ids = gpt2.encode("é")
    let half = gpt2.encode("\u{1F642}").prefix(1)
    #expect(gpt2.decode(ids, skippingSpecialTokens: false) == "é")
    #expect(gpt2.decode(Array(half), skippingSpecialTokens: false) == "\u{FFFD}")
  }

  /// Words of one letter, of white space, of what nearly is a special token.
  @Test(
    .timeLimit(.minutes(10)),
    arguments: ["a", " ", "\n", "'", "1", "<|endoftext|", "ab", "\u{301}", "漢", "' "])
  func hostileTextsTakeLittleMoreThanLinearTime(unit: String) {
    let text = String(repeating: unit, count: 1_000_000 / unit.utf8.count)
    for tokenizer in [gpt2, opt] {
      let ids = tokenizer.encode(text)
      #expect(tokenizer.decode(ids, skippingSpecialTokens: false) == text)
    }
  }

  /// Several threads may use a tokenizer at once.
  @Test func threadsAgree() {
    let texts = goldens.cases.map(\.text)
    let tokenizer = gpt2
    let expected = texts.map(tokenizer.encode)
    let failures = Failures()
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      if texts.map(tokenizer.encode) != expected { failures.add() }
    }
    #expect(failures.count == 0)
  }
}

/// Counts from any thread.
final class Failures: @unchecked Sendable {
  private let lock = NSLock()
  private var value = 0
  func add() { lock.withLock { value += 1 } }
  var count: Int { lock.withLock { value } }
}
