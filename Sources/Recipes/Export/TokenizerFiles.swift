import Files
import Foundation
import Tokenizers

/// A tokenizer's files as they go out: those of its folder, and in them the token that stands where an
/// image's queries go.
struct TokenizerFiles {
  /// What Hugging Face's processor calls it.
  static let imageTokenText = "<image>"

  private let folder: URL
  /// The files that are taken over, as far as they are there, and what they are called where they go.
  private let files: [(name: String, target: String)]
  /// What `tokenizer_config.json` says where it does not say it itself.
  private let settings: [(name: String, text: String)]
  /// Special tokens that the files do not have yet.
  private let added: [(text: String, id: Int32)]
  /// The token's id.
  let imageToken: Int32
  /// Whether the files have it already.
  private let hasImageToken: Bool

  /// A language model's.
  /// - Parameter family: The language model's.
  init(folder: URL, tokenizer: any LanguageTokenizer, family: String) {
    (self.folder, added) = (folder, [])
    files = Self.languageFiles.map { ($0, $0) }
    let known = tokenizer.encode(Self.imageTokenText)
    // SentencePiece puts a space before it.
    hasImageToken = known.last.map { tokenizer.isImageToken($0) } ?? false
    imageToken = hasImageToken ? known[known.count - 1] : Int32(tokenizer.vocabularySize)
    func text(_ id: Int32?) -> String? {
      id.map { tokenizer.decode([$0], skippingSpecialTokens: false) }
    }
    let classes = ["opt": "GPT2Tokenizer", "t5": "T5Tokenizer"]
    let hasDocument = TokenizerFiles.exists("tokenizer.json", in: folder)
    let usual = hasDocument ? "PreTrainedTokenizerFast" : "LlamaTokenizer"
    let given: [(String, String?)] = [
      ("tokenizer_class", classes[family] ?? usual), ("bos_token", text(tokenizer.startId)),
      ("eos_token", text(tokenizer.endId)), ("pad_token", text(tokenizer.padId)),
      // As OPT has it, whose bytes are all known.
      ("unk_token", text(tokenizer.unknownId ?? tokenizer.endId)),
    ]
    settings = given.compactMap { name, text in
      text.flatMap { $0.isEmpty ? nil : (name, $0) }
    }
  }

  /// The Q-Former's: BERT's, with the token that begins a caption.
  init(vocabulary: URL, tokenizer: WordPieceTokenizer) {
    folder = vocabulary.deletingLastPathComponent()
    files = [(vocabulary.lastPathComponent, "vocab.txt")]
    settings = [
      ("tokenizer_class", "BertTokenizer"), ("bos_token", "[DEC]"), ("cls_token", "[CLS]"),
      ("sep_token", "[SEP]"), ("pad_token", "[PAD]"), ("unk_token", "[UNK]"),
      ("mask_token", "[MASK]"),
    ]
    added = [("[DEC]", tokenizer.decoderId)]
    imageToken = Int32(tokenizer.vocabularySize)
    hasImageToken = false
  }

  /// Writes the files.
  /// - Throws: `ExportError.badTokenizer`, `ReadFailure`, `SystemFailure`.
  func write(to output: URL) throws {
    for (name, target) in files where Self.exists(name, in: folder) {
      try AtomicFile.write(contents(name), to: output.appendingPathComponent(target).path)
    }
    let tokens = added + (hasImageToken ? [] : [(Self.imageTokenText, imageToken)])
    try edit("tokenizer_config.json", in: output, orElse: "{}") { text in
      for (name, value) in settings where !text.has(name) { try text.add(name, value) }
      for (name, id) in tokens {
        try text.add(to: "added_tokens_decoder", key: "\(id)", Token(content: name))
      }
      if !text.has("processor_class") { try text.add("processor_class", "Blip2Processor") }
    }
    try edit("added_tokens.json", in: output, orElse: "{}") { text in
      for (name, id) in tokens where !text.has(name) { try text.add(name, Int(id)) }
    }
    try edit("tokenizer.json", in: output, orElse: nil) { text in
      for (name, id) in tokens {
        try text.add(to: "added_tokens", Token(id: Int(id), content: name))
      }
    }
  }

  private static let languageFiles = [
    "tokenizer.json", "vocab.json", "merges.txt", "spiece.model", "tokenizer.model",
    "special_tokens_map.json", "tokenizer_config.json", "added_tokens.json",
  ]

  private static func exists(_ name: String, in folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
  }

  private func contents(_ name: String) throws -> [UInt8] {
    try BoundedFile.contents(of: folder.appendingPathComponent(name).path, limit: 1 << 28)
  }

  /// Changes a file of the output folder.
  /// - Parameter start: What it begins as where it is not there; nil to leave it out.
  private func edit(
    _ name: String, in output: URL, orElse start: String?, _ change: (inout JSONText) throws -> Void
  ) throws {
    let file = output.appendingPathComponent(name)
    let isThere = files.contains { $0.name == name } && Self.exists(name, in: folder)
    guard isThere || start != nil else { return }
    do {
      var text = try JSONText(isThere ? contents(name) : Array((start ?? "").utf8))
      try change(&text)
      try AtomicFile.write(text.bytes, to: file.path)
    } catch let failure as JSONScanner.Failure {
      throw ExportError.badTokenizer(
        file: folder.appendingPathComponent(name).path,
        problem: "\(failure.problem) (byte \(failure.offset))")
    }
  }

  /// A special token as these files describe it.
  private struct Token: Encodable {
    var id: Int?
    let content: String
    var lstrip = false
    var normalized = false
    var rstrip = false
    var special = true
    var singleWord = false

    enum CodingKeys: String, CodingKey {
      case id, content, lstrip, normalized, rstrip, special
      case singleWord = "single_word"
    }
  }
}

extension LanguageTokenizer {
  /// Whether it is a token by itself that a text has for an image.
  fileprivate func isImageToken(_ id: Int32) -> Bool {
    decode([id], skippingSpecialTokens: false)
      .trimmingCharacters(in: .whitespaces) == TokenizerFiles.imageTokenText
  }
}
