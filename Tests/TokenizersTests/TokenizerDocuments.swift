import Foundation

/// `tokenizer.json` documents made from GPT-2's vocabulary, to be changed by tests.
struct TokenizerDocument {
  enum MergeForm: CaseIterable {
    case lines, pairs
  }

  var content: [String: Any]

  /// Texts that go into the document as they are, in the place of strings.
  private var insertions: [String: String] = [:]

  /// With the files of GPT-2, which are JSON or nearly so: to write them anew takes long.
  init(_ form: MergeForm) throws {
    self.init(
      vocabulary: [:], merges: [], added: ["<|endoftext|>": 50256, "</s>": 50257, "<pad>": 50258])
    let merges = try GPT2Goldens.merges().map { line in
      let escaped = line.replacingOccurrences(of: "\\", with: "\\\\")
        .replacingOccurrences(of: "\"", with: "\\\"")
      switch form {
      case .lines: return "\"\(escaped)\""
      case .pairs: return "[\"" + escaped.replacingOccurrences(of: " ", with: "\", \"") + "\"]"
      }
    }
    setModel("vocab", "the vocabulary")
    setModel("merges", "the merges")
    insertions = [
      "the vocabulary": try String(contentsOf: GPT2Goldens.vocabularyFile, encoding: .utf8),
      "the merges": "[" + merges.joined(separator: ",") + "]",
    ]
  }

  /// With the 256 bytes and nothing else but what is given.
  init(small merges: [String]) {
    var vocabulary = Dictionary(
      uniqueKeysWithValues: TokenizerDocument.byteCharacters.enumerated().map { ($1, $0) })
    for merge in merges {
      vocabulary[merge.replacingOccurrences(of: " ", with: "")] = vocabulary.count
    }
    self.init(vocabulary: vocabulary, merges: merges, added: ["<end>": vocabulary.count])
  }

  private init(vocabulary: [String: Int], merges: [String], added: [String: Int]) {
    let addedTokens = added.sorted { $0.value < $1.value }.map { text, id -> [String: Any] in
      [
        "content": text, "id": id, "special": true, "single_word": false, "lstrip": false,
        "rstrip": false, "normalized": false,
      ]
    }
    content = [
      "version": "1.0", "truncation": NSNull(), "padding": NSNull(), "normalizer": NSNull(),
      "added_tokens": addedTokens,
      "pre_tokenizer": Self.byteLevel(),
      "post_processor": NSNull(), "decoder": Self.byteLevel(),
      "model": [
        "type": "BPE", "dropout": NSNull(), "unk_token": NSNull(),
        "continuing_subword_prefix": "", "end_of_word_suffix": NSNull(), "fuse_unk": false,
        "byte_fallback": false, "vocab": vocabulary, "merges": merges,
      ] as [String: Any],
    ]
  }

  /// The characters of the 256 bytes, those that Latin-1 prints first.
  static let byteCharacters: [String] = {
    let printable = (0x21...0x7E).map { $0 } + (0xA1...0xAC) + (0xAE...0xFF)
    return (printable + (0x100..<0x100 + 256 - printable.count)).compactMap {
      Unicode.Scalar($0).map(String.init)
    }
  }()

  static func byteLevel(prefixSpace: Bool = false, pattern: Bool = true) -> [String: Any] {
    [
      "type": "ByteLevel", "add_prefix_space": prefixSpace, "trim_offsets": true,
      "use_regex": pattern,
    ]
  }

  static func split(_ pattern: String) -> [String: Any] {
    ["type": "Split", "pattern": ["Regex": pattern], "behavior": "Isolated", "invert": false]
  }

  static let digits: [String: Any] = ["type": "Digits", "individual_digits": true]

  static func sequence(_ steps: [[String: Any]]) -> [String: Any] {
    ["type": "Sequence", "pretokenizers": steps]
  }

  mutating func setModel(_ key: String, _ value: Any) {
    var model = content["model"] as? [String: Any] ?? [:]
    model[key] = value
    content["model"] = model
  }

  var data: Data {
    get throws {
      let data = try JSONSerialization.data(withJSONObject: content, options: [.sortedKeys])
      return Data(
        insertions.reduce(String(decoding: data, as: UTF8.self)) { text, insertion in
          text.replacingOccurrences(of: "\"\(insertion.key)\"", with: insertion.value)
        }.utf8)
    }
  }
}
