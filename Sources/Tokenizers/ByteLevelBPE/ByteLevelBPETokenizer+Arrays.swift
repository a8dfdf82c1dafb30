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
    for (name, count) in [("tokens", tokens.count), ("merges", merges.count)]
    where count > TokenizerFile.maximumTokenCount {
      throw TokenizerError.damaged(
        file: source, place: "tokenizer.ggml.\(name)",
        expected: "at most \(TokenizerFile.maximumTokenCount)", found: "\(count)")
    }
    if let tokenTypes, tokenTypes.count != tokens.count {
      throw TokenizerError.damaged(
        file: source, place: "tokenizer.ggml.token_type", expected: "\(tokens.count) types",
        found: "\(tokenTypes.count)")
    }
    var vocabulary = BytePairVocabulary(file: source)
    for (id, token) in zip(Int32(0)..., tokens) { try vocabulary.insert(Array(token.utf8), id: id) }
    var model = BytePairModel(
      vocabulary: vocabulary, preTokenizer: preparation.preTokenizer, mergeCount: merges.count)
    model.ignoresMergesOfWords = preparation.ignoresMergesOfWords
    for (index, merge) in merges.enumerated() {
      try model.appendMerge(
        Array(merge.utf8), file: source, place: "tokenizer.ggml.merges[\(index)]")
    }
    for (id, type) in (tokenTypes ?? []).enumerated() {
      try model.addToken(Int32(id), ofType: type)
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

extension BytePairModel {
  fileprivate mutating func addToken(_ id: Int32, ofType type: Int) throws {
    switch type {
    case 1, 5: break
    case 2, 3, 4:
      guard let text = vocabulary.tokens[Int(id)] else { break }
      try add(AddedToken(text: text, id: id, isSpecial: type != 4))
    default:
      throw TokenizerError.damaged(
        file: vocabulary.file, place: "tokenizer.ggml.token_type[\(id)]",
        expected: "a type from 1 to 5", found: "\(type)")
    }
  }
}
