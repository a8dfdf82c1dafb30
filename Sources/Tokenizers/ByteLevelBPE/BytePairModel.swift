/// What the files of a byte-level tokenizer say, whatever their format.
struct BytePairModel {
  var vocabulary: BytePairVocabulary
  private(set) var merges: MergeTable
  private var mergeCount: UInt32 = 0
  var addedTokens: [AddedToken] = []
  var preTokenizer: PreTokenizer
  /// Stands for bytes that have no token of their own; nil where they are dropped.
  var unknownId: Int32?
  /// Whether a word that is a token needs no merging.
  var ignoresMergesOfWords = false

  init(vocabulary: BytePairVocabulary, preTokenizer: PreTokenizer, mergeCount: Int) {
    self.vocabulary = vocabulary
    self.preTokenizer = preTokenizer
    merges = MergeTable(capacity: mergeCount)
  }

  /// Adds the merge of the next rank.
  ///
  /// - Parameter place: Where it stands in `file`, for messages.
  /// - Throws: `TokenizerError` where it names what is no token, or was there before.
  mutating func appendMerge(
    _ left: some Collection<UInt8>, _ right: some Collection<UInt8>, file: String,
    place: @autoclosure () -> String
  ) throws {
    func id(_ token: [UInt8]) throws -> Int32 {
      guard let id = vocabulary.id(of: token) else {
        throw TokenizerError.damaged(
          file: file, place: place(), expected: "tokens of the vocabulary",
          found: TokenizerFile.excerpt(token))
      }
      return id
    }
    let (first, second) = (try id(Array(left)), try id(Array(right)))
    let merge = MergeTable.Merge(rank: mergeCount, result: try id(left + Array(right)))
    guard merges.insert(first, second, merge) else {
      throw TokenizerError.damaged(
        file: file, place: place(), expected: "a pair not seen before",
        found: TokenizerFile.excerpt(left + [UInt8(ascii: " ")] + right))
    }
    mergeCount += 1
  }

  /// Adds the merge that is written as two tokens with a space between.
  mutating func appendMerge(
    _ line: some Collection<UInt8>, file: String, place: @autoclosure () -> String
  ) throws {
    let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      throw TokenizerError.damaged(
        file: file, place: place(), expected: "two tokens with a space between",
        found: TokenizerFile.excerpt(line))
    }
    try appendMerge(parts[0], parts[1], file: file, place: place())
  }

  /// Adds a token that stands for itself; one of the vocabulary keeps its id.
  mutating func add(_ token: AddedToken) throws {
    try vocabulary.insert(token.text, id: token.id)
    addedTokens.append(token)
  }
}
