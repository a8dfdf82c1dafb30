import Files
import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// `vocab.json` with `merges.txt`, and the arrays of GGUF files.
@Suite struct ByteLevelBPEFileTests {
  private func open(
    _ vocabulary: String, _ merges: String, added: [AddedToken] = []
  ) throws -> ByteLevelBPETokenizer {
    let folder = try TemporaryFolder()
    return try ByteLevelBPETokenizer(
      vocabularyFile: folder.write(vocabulary, to: "vocab.json"),
      mergesFile: folder.write(merges, to: "merges.txt"), special: SpecialTokens(end: .id(0)),
      added: added)
  }

  private static let vocabulary = #"{"<end>": 0, "a": 1, "b": 2, "ab": 3, "Ġ": 4}"#

  @Test(arguments: ["#version: 0.2\na b\n", "a b", "a b\r\n", "#version: 0.2\r\na b\r\n"])
  func endsOfLinesMayDiffer(merges: String) throws {
    let tokenizer = try open(Self.vocabulary, merges)
    #expect(tokenizer.encode("ab ba") == [3, 4, 2, 1])
    #expect(tokenizer.decode([3, 4, 2, 1], skippingSpecialTokens: true) == "ab ba")
  }

  @Test func idsMayHaveHoles() throws {
    let tokenizer = try open(
      Self.vocabulary, "a b", added: [AddedToken("<x>", id: 9)])
    #expect(tokenizer.vocabularySize == 10)
    #expect(tokenizer.encode("<x>ab") == [9, 3])
    #expect(tokenizer.decode([9, 7, 3], skippingSpecialTokens: true) == "<x>ab")
  }

  @Test(arguments: [
    (vocabulary, "a b\n\na b\n", "line 2: expected two tokens"),
    (vocabulary, "\n", "line 1: expected two tokens"),
    (vocabulary, "a b\na b\n", "line 2: expected a pair not seen before"),
    (vocabulary, "a b c\n", "line 1: expected two tokens"),
    (vocabulary, "a \n", "line 1: expected two tokens"),
    (vocabulary, "a c\n", "found \"c\""),
    (vocabulary, "b a\n", "found \"ba\""),
    (#"{"a": 1, "b": 1}"#, "", "an id of its own"),
    (#"{"a": 1, "a": 2}"#, "", "a key not seen before"),
    (#"{"a": 1000000}"#, "", "an id from 0 to 999999"),
    (#"{"a": -1}"#, "", "an id from 0 to 999999"),
    (#"{"a": 99999999999999999999}"#, "", "an id for each token"),
    (#"{"a": 1.5}"#, "", "an id for each token"),
    (#"{"": 1}"#, "", "an empty one"),
    (#"{"a": 1"#, "", "expected \",\" or \"}\""),
    (#"[1]"#, "", "an object"),
    (#"{"a": 1}"#, "", "of id 0"),
    (#"{}"#, "", "of id 0"),
  ])
  func damagedFilesAreRefused(vocabulary: String, merges: String, mention: String) throws {
    do {
      _ = try open(vocabulary, merges)
      Issue.record("accepted")
    } catch let error as TokenizerError {
      #expect(error.description.contains(mention), "\(error)")
    }
  }

  @Test func missingFilesAreRefused() throws {
    let folder = try TemporaryFolder()
    let vocabulary = try folder.write(Self.vocabulary, to: "vocab.json")
    #expect(throws: ReadFailure(folder.url.path, .notRegular)) {
      try ByteLevelBPETokenizer(
        vocabularyFile: vocabulary, mergesFile: folder.url, special: SpecialTokens(end: .id(0)))
    }
  }

  private func arrays(
    _ tokens: [String], _ merges: [String], types: [Int]?, pre: String = "smollm"
  ) throws -> ByteLevelBPETokenizer {
    try ByteLevelBPETokenizer(
      tokens: tokens, merges: merges, tokenTypes: types, preTokenizer: pre,
      special: SpecialTokens(start: .id(0), end: .id(0), addsStart: true), source: "model.gguf")
  }

  private static let tokens = ["<end>", "1", "2", "12", "<user>", "a", "1a"]

  @Test func arraysOfAGGUFFile() throws {
    let merges = ["1 2", "1 a"]
    let types = [3, 1, 1, 1, 4, 1, 1]
    let smollm = try arrays(Self.tokens, merges, types: types)
    #expect(smollm.encode("12<user><end>a") == [1, 2, 4, 0, 5])
    #expect(smollm.startId == 0)
    #expect(smollm.decode([0, 1, 4], skippingSpecialTokens: true) == "1<user>")
    let gpt2 = try arrays(Self.tokens, merges, types: nil, pre: "gpt-2")
    #expect(gpt2.encode("12<end>1a") == [3, 0, 1, 5])
    let whole = try arrays(Self.tokens + ["aa"], merges, types: nil, pre: "llama-bpe")
    #expect(whole.encode("aa") == [7])
  }

  @Test(
    arguments: [
      (tokens, ["1 2"], [1, 1], "smollm", "7 types"),
      (tokens, ["1 2"], [1, 1, 1, 1, 1, 1, 6], "smollm", "token_type[6]"),
      (tokens, ["1 2"], nil, "default", "the pre-tokenizer default"),
      (tokens, ["1 2", "1 3"], nil, "smollm", "merges[1]"),
      (["a", "a"], [], nil, "smollm", "one id"),
      (["a", ""], [], nil, "smollm", "an empty one"),
      ([], [], nil, "smollm", "of id 0"),
    ] as [([String], [String], [Int]?, String, String)])
  func damagedArraysAreRefused(
    tokens: [String], merges: [String], types: [Int]?, pre: String, mention: String
  ) {
    let error = #expect(throws: TokenizerError.self) {
      try arrays(tokens, merges, types: types, pre: pre)
    }
    let message = error?.description ?? ""
    #expect(message.contains("model.gguf") && message.contains(mention), "\(message)")
  }
}
