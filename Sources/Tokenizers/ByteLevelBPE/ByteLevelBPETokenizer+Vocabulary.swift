import Foundation

extension ByteLevelBPETokenizer {
  /// Reads the two files of GPT-2: `vocab.json`, an object of tokens and ids, and `merges.txt`, a merge
  /// a line behind a version line.
  ///
  /// - Parameters:
  ///   - special: What the folder's other files say of special tokens; the end must be named.
  ///   - added: Tokens that the vocabulary lacks (`added_tokens.json`).
  ///   - addsPrefixSpace: Whether a text that does not begin with a space gets one.
  /// - Throws: `TokenizerError`.
  public init(
    vocabularyFile: URL, mergesFile: URL, special: SpecialTokens, added: [AddedToken] = [],
    addsPrefixSpace: Bool = false
  ) throws {
    var model = BytePairModel(
      vocabulary: try TokenNames(JSONField.read(vocabularyFile)),
      preTokenizer: PreTokenizer(pattern: .gpt2, addsPrefixSpace: addsPrefixSpace))
    let lines = try TokenizerFile.lines(of: mergesFile)
    let mergeLines = lines.indices.filter { !lines[$0].starts(with: "#version".utf8) }
    guard lines.count <= TokenizerFile.maximumTokenCount + 1 else {
      throw FilePlace(file: mergesFile.path, place: "line \(lines.count)")
        .damaged("at most \(TokenizerFile.maximumTokenCount) merges", "more")
    }
    for index in mergeLines {
      let place = FilePlace(file: mergesFile.path, place: "line \(index + 1)")
      try model.appendMerge(place.pair(lines[index]), at: place)
    }
    for token in added { try model.add(token) }
    try self.init(model, special: special)
  }
}
