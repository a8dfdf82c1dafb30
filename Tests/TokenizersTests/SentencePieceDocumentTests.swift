import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// `tokenizer.json` as transformers saves the tokenizers of Llama and T5 gives the ids of the SentencePiece
/// model that it was made from.
@Suite struct SentencePieceDocumentTests {
  private struct Case: Decodable {
    let text: String
    let ids: [Int32]
  }

  private static func folder(_ name: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fixtures/tokenizer-json/\(name)")
  }

  @Test(arguments: [("llama", "tokenizer.model"), ("t5", "spiece.model")])
  func idsAreThoseOfTheModel(name: String, model: String) throws {
    let folder = Self.folder(name)
    let tokenizer = try LanguageTokenizers.open(folder: folder)
    let reference = try SentencePieceTokenizer(
      modelFile: folder.appendingPathComponent(model + ".reference"))
    let cases = try JSONDecoder().decode(
      [Case].self, from: Data(contentsOf: folder.appendingPathComponent("cases.json")))
    #expect(!cases.isEmpty)
    for item in cases {
      #expect(tokenizer.encode(item.text) == item.ids, "\(item.text)")
      #expect(reference.encode(item.text) == item.ids, "\(item.text)")
      #expect(
        tokenizer.decode(item.ids, skippingSpecialTokens: true)
          == reference.decode(item.ids, skippingSpecialTokens: true))
    }
    #expect(tokenizer.endId == reference.endId)
    #expect(tokenizer.startId == (name == "llama" ? 1 : nil))
  }

  @Test func addedTokensStandForThemselves() throws {
    let tokenizer = try LanguageTokenizers.open(folder: Self.folder("llama"))
    let ids = tokenizer.encode("a red car</s>")
    #expect(ids.last == tokenizer.endId)
    #expect(!tokenizer.decode(ids, skippingSpecialTokens: true).contains("</s>"))
    #expect(
      try LanguageTokenizers.open(folder: Self.folder("t5")).encode("<extra_id_0>").count == 1)
  }

  /// What a SentencePiece model cannot say is refused, with the file that would do.
  @Test(
    arguments: [
      (["normalizer": ["type": "Lowercase"]], "Lowercase"),
      (["pre_tokenizer": ["type": "Metaspace", "replacement": "_"]], "another replacement"),
      (["merges": "parted"], "merges into"), (["merges": "fewer"], "merges into"),
    ] as [([String: Any], String)])
  func othersAreRefused(change: [String: Any], words: String) throws {
    let temporary = try TemporaryFolder()
    let folder = Self.folder("llama")
    var document = try #require(
      JSONSerialization.jsonObject(
        with: Data(contentsOf: folder.appendingPathComponent("tokenizer.json"))) as? [String: Any])
    for (key, value) in change where key != "merges" { document[key] = value }
    if let kind = change["merges"] as? String {
      var model = try #require(document["model"] as? [String: Any])
      var merges = try #require(model["merges"] as? [Any])
      if kind == "parted" {
        // Two merges make one piece, and others stand between them.
        func result(_ place: Int) -> String {
          ((merges[place] as? [String]) ?? []).joined()
        }
        let first = try #require(
          merges.indices.dropLast(2).first { result($0) == result($0 + 1) })
        merges.append(merges.remove(at: first))
      } else {
        merges.removeFirst()
      }
      model["merges"] = merges
      document["model"] = model
    }
    try JSONSerialization.data(withJSONObject: document)
      .write(to: temporary.url.appendingPathComponent("tokenizer.json"))
    try temporary.write(#"{"eos_token": "</s>"}"#, to: "tokenizer_config.json")
    let error = #expect(throws: TokenizerError.self) {
      try LanguageTokenizers.open(folder: temporary.url)
    }
    #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    #expect(error?.description.contains("tokenizer.model") == true)
  }

  @Test func damagedDocumentsAreRefusedOrRead() throws {
    let temporary = try TemporaryFolder()
    let folder = Self.folder("t5")
    let bytes = Array(
      try Data(contentsOf: folder.appendingPathComponent("tokenizer.json")))
    try temporary.write(#"{"eos_token": "</s>"}"#, to: "tokenizer_config.json")
    var generator = SeededGenerator(5)
    for _ in 0..<60 {
      var damaged = bytes
      for _ in 0..<3 {
        damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(
          in: 0x20...0x7E, using: &generator)
      }
      try Data(damaged).write(to: temporary.url.appendingPathComponent("tokenizer.json"))
      _ = try? LanguageTokenizers.open(folder: temporary.url).encode("a red car")
    }
  }
}
