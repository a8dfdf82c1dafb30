import Foundation
import TestSupport
import Tokenizers

/// `tokenizers/gpt2/cases.json`: GPT-2's ids, and OPT's convention with GPT-2's vocabulary.
struct GPT2Goldens: Decodable {
  struct Case: Decodable {
    let text: String
    let ids: [Int32]
    let decoded: String
    let optIds: [Int32]
    let optPaddedIds: [Int32]
    let optAttentionMask: [Int]
  }

  let bos: Int32
  let eos: Int32
  let pad: Int32
  let addedTokens: [String: Int32]
  let cases: [Case]

  static let folder = Goldens.folder.appendingPathComponent("tokenizers/gpt2")
  static let vocabularyFile = folder.appendingPathComponent("vocab.json")
  static let mergesFile = folder.appendingPathComponent("merges.txt")
  /// Neither folder names its special tokens.
  static let gpt2Special = SpecialTokens(end: .text("<|endoftext|>"))
  static let optSpecial = SpecialTokens(
    start: .text("</s>"), end: .text("</s>"), pad: .text("<pad>"), addsStart: true)

  static func load() throws -> GPT2Goldens { try decodedCases(in: folder) }

  static func merges() throws -> [String] {
    try String(contentsOf: mergesFile, encoding: .utf8).split(separator: "\n").dropFirst()
      .map(String.init)
  }
}

/// `tokenizers/t5/cases.json`: what sentencepiece gives for each text, and transformers (`hf…`).
struct T5Goldens: Decodable {
  struct Case: Decodable {
    let text: String
    let pieces: [String]
    let ids: [Int32]
    let decoded: String
    let hfIds: [Int32]
    let hfDecodedSkipSpecial: String
  }

  let pad: Int32
  let eos: Int32
  let unk: Int32
  let pieces: Int
  let firstSentinel: Int32
  let cases: [Case]

  static let folder = Goldens.folder.appendingPathComponent("tokenizers/t5")
  static let modelFile = folder.appendingPathComponent("spiece.model")

  static func load() throws -> T5Goldens { try decodedCases(in: folder) }
}

private func decodedCases<Cases: Decodable>(in folder: URL) throws -> Cases {
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  return try decoder.decode(
    Cases.self, from: Data(contentsOf: folder.appendingPathComponent("cases.json")))
}
