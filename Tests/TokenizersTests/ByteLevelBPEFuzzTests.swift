import Foundation
import TestSupport
import Testing
import Tokenizers

/// Damaged files end in tokenizers that work or in a `TokenizerError`, soon.
@Suite struct ByteLevelBPEFuzzTests {
  static let texts = [
    "it's 12345 o'clock,  isn't it?\n\n naïve 漢字 \u{1F642}<end></s>", "\u{0}\u{301} \u{A0}x",
    String(repeating: "ab", count: 200),
  ]

  /// Encodes and decodes, and holds ids against the vocabulary.
  static func use(_ tokenizer: some LanguageTokenizer) {
    for text in texts {
      let ids = tokenizer.encode(text)
      #expect(ids.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize })
      _ = tokenizer.decode(ids, skippingSpecialTokens: false)
    }
    _ = tokenizer.decode(
      [tokenizer.endId, tokenizer.padId, -1, .max, 0, 1, 2], skippingSpecialTokens: true)
  }

  /// Both must happen, or the trial says nothing.
  static func check(_ report: FuzzRun.Report) {
    #expect(report.problems == [])
    let count = report.accepted + report.refused
    #expect(count < 100 || report.accepted > 0 && report.refused > count / 10, "\(report)")
  }

  private func document(_ merges: [String], _ preTokenizer: [String: Any]) throws -> [UInt8] {
    var document = TokenizerDocument(small: merges)
    document.content["pre_tokenizer"] = preTokenizer
    return [UInt8](try document.data)
  }

  @Test func tokenizerDocuments() throws {
    let steps = [TokenizerDocument.digits, TokenizerDocument.byteLevel()]
    let samples = [
      try document(["a b", "ab ab", "Ġ 1", "1 2"], TokenizerDocument.byteLevel(prefixSpace: true)),
      try document(["a b", "b a"], TokenizerDocument.sequence(steps)),
    ].enumerated().map { FuzzRun.Sample(name: "document \($0)", bytes: $1) }
    let folder = try TemporaryFolder()
    let run = FuzzRun(reader: "tokenizer-json", samples: samples) { $0 is TokenizerError }
    let report = run.run { mutator, bytes, other in
      mutator.mutatedJSON(bytes, with: other)
    } read: { bytes in
      let file = try folder.replace("tokenizer.json", with: bytes)
      Self.use(
        try ByteLevelBPETokenizer(
          tokenizerFile: file, special: SpecialTokens(end: .text("<end>"))))
    }
    Self.check(report)
  }

  /// The small files of a folder, of which each case damages one.
  @Test func folders() throws {
    let files = [
      ("vocab.json", #"{"<end>": 0, "a": 1, "b": 2, "ab": 3, "Ġ": 4, "abab": 5, "1": 6}"#),
      ("merges.txt", "#version: 0.2\na b\nab ab\n"),
      ("added_tokens.json", #"{"<pad>": 7, "</s>": 8}"#),
      (
        "tokenizer_config.json",
        #"{"eos_token": {"content": "</s>", "lstrip": false}, "add_bos_token": true, "extra_ids": 3,"#
          + #""bos_token": "</s>", "added_tokens_decoder": {"9": {"content": "<x>", "special": true}}}"#
      ),
      ("config.json", #"{"pad_token_id": 7, "eos_token_id": [8, 0], "text_config": {"a": 1}}"#),
    ]
    let samples = files.map { FuzzRun.Sample(name: $0.0, bytes: Array($0.1.utf8)) }
    let folder = try TemporaryFolder()
    let run = FuzzRun(reader: "tokenizer-folder", samples: samples) { $0 is TokenizerError }
    var damaged = ""
    let report = run.run { mutator, bytes, other in
      damaged = files.first { Array($0.1.utf8) == bytes }?.0 ?? ""
      return mutator.mutatedJSON(bytes, with: other)
    } read: { bytes in
      for (name, content) in files {
        try folder.replace(name, with: name == damaged ? bytes : Array(content.utf8))
      }
      let tokenizer = try LanguageTokenizers.open(folder: folder.url)
      for text in Self.texts { _ = tokenizer.encode(text) }
    }
    Self.check(report)
  }
}
