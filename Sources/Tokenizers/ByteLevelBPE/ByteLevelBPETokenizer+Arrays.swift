extension ByteLevelBPETokenizer {
  /// The tokenizer that lies in a GGUF file's metadata as arrays (`tokenizer.ggml.*`).
  ///
  /// - Parameters:
  ///   - tokens: By id.
  ///   - merges: Two tokens with a space between, the first to merge first.
  ///   - tokenTypes: For each token 1 for an ordinary one, 2 for the unknown token, 3 for a control
  ///     token, 4 for one of the user's, 5 for an unused one; nil where the file has none.
  ///   - preTokenizer: `tokenizer.ggml.pre`: `gpt-2`, `smollm` or `llama-bpe`.
  ///   - special: `tokenizer.ggml.bos_token_id` and so on, and `add_bos_token`.
  ///   - source: The file's name, for messages.
  /// - Throws: `TokenizerError`, also for other pre-tokenizers, by their names.
  public init(
    tokens: [String], merges: [String], tokenTypes: [Int]?, preTokenizer: String,
    special: SpecialTokens, source: String
  ) throws {
    guard let preparation = Self.preTokenizers[preTokenizer] else {
      throw TokenizerError.unsupported(
        file: source, feature: "the pre-tokenizer \(preTokenizer) (tokenizer.ggml.pre)")
    }
    func place(_ name: String) -> FilePlace {
      FilePlace(file: source, place: "tokenizer.ggml.\(name)")
    }
    for (name, count) in [("tokens", tokens.count), ("merges", merges.count)]
    where count > TokenizerFile.maximumTokenCount {
      throw place(name).damaged("at most \(TokenizerFile.maximumTokenCount)", "\(count)")
    }
    if let tokenTypes, tokenTypes.count != tokens.count {
      throw place("token_type").damaged("\(tokens.count) types", "\(tokenTypes.count)")
    }
    var vocabulary = TokenNames(file: source)
    for (id, token) in zip(Int32(0)..., tokens) { try vocabulary.insert(Array(token.utf8), id: id) }
    var model = BytePairModel(vocabulary: vocabulary, preTokenizer: preparation.preTokenizer)
    model.ignoresMergesOfWords = preparation.ignoresMergesOfWords
    for (index, merge) in merges.enumerated() {
      let place = place("merges[\(index)]")
      try model.appendMerge(place.pair(merge.utf8), at: place)
    }
    for (id, type) in zip(Int32(0)..., tokenTypes ?? []) {
      switch type {
      case 1, 5: break
      case 2, 3, 4:
        let text = Array(tokens[Int(id)].utf8)
        try model.add(AddedToken(text: text, id: id, isSpecial: type != 4))
      default: throw place("token_type[\(id)]").damaged("a type from 1 to 5", "\(type)")
      }
    }
    try self.init(model, special: special)
  }

  private static let preTokenizers:
    [String: (preTokenizer: PreTokenizer, ignoresMergesOfWords: Bool)] = [
      "gpt-2": (PreTokenizer(pattern: .gpt2), false),
      "smollm": (PreTokenizer(pattern: .gpt2, isolatesDigits: true), false),
      "llama-bpe": (PreTokenizer(pattern: .llama3), true),
    ]
}
