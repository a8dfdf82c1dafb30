import Foundation

extension ByteLevelBPETokenizer {
  /// Reads the two files of GPT-2: `vocab.json`, an object of tokens and ids, and `merges.txt`, a merge
  /// a line behind a version line.
  ///
  /// - Parameters:
  ///   - special: What the folder's other files say of special tokens; the end must be named.
  ///   - addedTokens: Tokens that the vocabulary lacks, with their ids (`added_tokens.json`).
  ///   - addsPrefixSpace: Whether a text that does not begin with a space gets one.
  /// - Throws: `TokenizerError`.
  public init(
    vocabularyFile: URL, mergesFile: URL, special: SpecialTokens,
    addedTokens: [String: Int32] = [:], addsPrefixSpace: Bool = false
  ) throws {
    try self.init(
      vocabularyFile: vocabularyFile, mergesFile: mergesFile, special: special,
      added: addedTokens.sorted { $0.value < $1.value }.map {
        AddedToken(text: Array($0.key.utf8), id: $0.value, isSpecial: false)
      }, addsPrefixSpace: addsPrefixSpace)
  }

  init(
    vocabularyFile: URL, mergesFile: URL, special: SpecialTokens, added: [AddedToken],
    addsPrefixSpace: Bool
  ) throws {
    let document = try JSONField.read(vocabularyFile)
    let vocabulary = try BytePairVocabulary(document, file: vocabularyFile.path)
    let lines = try Self.mergeLines(mergesFile)
    var model = BytePairModel(
      vocabulary: vocabulary,
      preTokenizer: PreTokenizer(pattern: .gpt2, addsPrefixSpace: addsPrefixSpace),
      mergeCount: lines.count)
    for (number, line) in lines {
      try model.appendMerge(line, file: mergesFile.path, place: "line \(number)")
    }
    for token in added { try model.add(token) }
    try self.init(model, special: special)
  }

  /// The lines that hold merges, with their numbers, which count from 1.
  private static func mergeLines(_ url: URL) throws -> [(Int, ArraySlice<UInt8>)] {
    var bytes = try TokenizerFile.contents(of: url)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    var result: [(Int, ArraySlice<UInt8>)] = []
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      // Files that went through Windows have a carriage return as well.
      let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      let isEndOfFile = line.isEmpty && index == lines.count - 1
      if isEndOfFile || line.starts(with: "#version".utf8) { continue }
      result.append((index + 1, line))
      guard result.count <= TokenizerFile.maximumTokenCount else {
        throw TokenizerError.damagedLine(
          file: url.path, line: index + 1,
          expected: "at most \(TokenizerFile.maximumTokenCount) merges", found: "more")
      }
    }
    return result
  }
}

extension BytePairVocabulary {
  /// From an object of tokens and ids.
  init(_ field: JSONField, file: String) throws {
    self.init(file: file)
    for member in try field.members() {
      guard let id = member.value.integer.flatMap(Int32.init(exactly:)) else {
        throw field.mismatch(
          "an id for each token",
          found: "\(member.value.kind) for \(TokenizerFile.excerpt(member.key))")
      }
      try insert(member.key, id: id)
    }
  }
}
