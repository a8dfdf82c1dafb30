import Foundation
import TestSupport

/// `tokenizers/bert/cases.json`: what the Hugging Face tokenizer gives for each text.
struct BERTGoldens: Decodable {
  struct Case: Decodable {
    let text: String
    let ids: [Int32]
    let withSpecialIds: [Int32]
    let paddedIds: [Int32]
    let attentionMask: [Int]
    let decoded: String
    let decodedSkipSpecialCleaned: String
  }

  let pad: Int32
  let unk: Int32
  let cls: Int32
  let sep: Int32
  let mask: Int32
  let dec: Int32
  let maxLength: Int
  let cases: [Case]

  static func load() throws -> BERTGoldens {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let file = Goldens.folder.appendingPathComponent("tokenizers/bert/cases.json")
    return try decoder.decode(BERTGoldens.self, from: Data(contentsOf: file))
  }
}

/// The texts' bytes: `==` on strings would hold composed and decomposed accents equal.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Runs `body` with a file of the given content, removed afterwards.
@discardableResult
func withTemporaryFile<Result>(_ content: Data, _ body: (URL) throws -> Result) throws -> Result {
  let file = FileManager.default.temporaryDirectory
    .appendingPathComponent("tokenizers-\(UUID().uuidString)")
  try content.write(to: file)
  defer { try? FileManager.default.removeItem(at: file) }
  return try body(file)
}
