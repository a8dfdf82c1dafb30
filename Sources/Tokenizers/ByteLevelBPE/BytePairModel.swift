/// What the files of a byte-level tokenizer say, whatever their format.
struct BytePairModel {
  private(set) var vocabulary: TokenNames
  let preTokenizer: PreTokenizer
  private(set) var merges = MergeTable()
  private(set) var addedTokens: [AddedToken] = []
  /// Stands for bytes that have no token of their own; nil where they are dropped.
  var unknownId: Int32?
  /// Whether a word that is a token needs no merging.
  var ignoresMergesOfWords = false

  init(vocabulary: TokenNames, preTokenizer: PreTokenizer) {
    self.vocabulary = vocabulary
    self.preTokenizer = preTokenizer
  }

  /// Adds the merge of the next rank.
  ///
  /// - Parameter place: Where it stands.
  /// - Throws: `TokenizerError` where it names what is no token, or was there before.
  mutating func appendMerge(_ pair: (left: [UInt8], right: [UInt8]), at place: FilePlace) throws {
    func id(_ token: [UInt8]) throws -> Int32 {
      if let id = vocabulary.id(of: token) { return id }
      throw place.damaged("tokens of the vocabulary", TokenizerFile.excerpt(token))
    }
    let (left, right) = try (id(pair.left), id(pair.right))
    guard merges.append(left, right, result: try id(pair.left + pair.right)) else {
      throw place.damaged(
        "a pair not seen before",
        TokenizerFile.excerpt(pair.left + [UInt8(ascii: " ")] + pair.right))
    }
  }

  /// Adds a token that stands for itself; one of the vocabulary keeps its id.
  mutating func add(_ token: AddedToken) throws {
    try vocabulary.insert(token.text, id: token.id)
    addedTokens.append(token)
  }
}

extension FilePlace {
  /// The two tokens of the merge here, which is written with a space between them.
  /// - Throws: `TokenizerError`.
  func pair(_ line: some Collection<UInt8>) throws -> (left: [UInt8], right: [UInt8]) {
    let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      throw damaged("two tokens with a space between", TokenizerFile.excerpt(line))
    }
    return (Array(parts[0]), Array(parts[1]))
  }
}
