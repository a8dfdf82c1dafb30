import Foundation

/// The tokenizer of bert-base-uncased, token for token that of the Hugging Face tokenizers library.
///
/// Text is cleaned, lower-cased, stripped of accents and split at spaces and punctuation
/// (`BERTWordSplitter`); each word becomes the longest token it begins with, then the longest
/// `##` token the rest begins with, and so on, or `[UNK]` where that fails (Wu et al. 2016,
/// arXiv:1609.08144, §4.1). Special tokens written out in the text become themselves.
public struct WordPieceTokenizer: Sendable {
  /// Tokens in all, the added ones included: one more than the largest id.
  public let vocabularySize: Int
  public let padId: Int32
  public let unknownId: Int32
  /// `[CLS]`, in front of a text.
  public let classId: Int32
  /// `[SEP]`, behind a text.
  public let separatorId: Int32
  public let maskId: Int32
  /// `[DEC]`, in front of a text that is to be generated (Li et al. 2023, §3.1).
  public let decoderId: Int32

  /// Longer words, in code points, are `[UNK]` as a whole.
  private static let maximumWordLength = 100
  /// In front of tokens that continue a word.
  private static let continuationPrefix = Array("##".utf8)

  private let tokens: [[UInt8]]
  private let specialIds: Set<Int32>
  private let wordStarts: TokenTrie
  private let continuations: TokenTrie
  private let specialTokens: TokenTrie

  /// Reads a BERT vocabulary: a token a line, UTF-8, its id the line number counted from 0.
  ///
  /// - Parameters:
  ///   - vocabularyFile: `vocab.txt`.
  ///   - additionalTokens: Special tokens that get the next ids unless the file has them.
  /// - Throws: `TokenizerError`, also where `[PAD]`, `[UNK]`, `[CLS]`, `[SEP]`, `[MASK]` or `[DEC]`
  ///   is neither in the file nor added.
  public init(vocabularyFile: URL, additionalTokens: [String] = ["[DEC]"]) throws {
    let vocabulary = try TokenNames(wordPieceFile: vocabularyFile, adding: additionalTokens)
    padId = try vocabulary.id(of: .text("[PAD]"))
    unknownId = try vocabulary.id(of: .text("[UNK]"))
    classId = try vocabulary.id(of: .text("[CLS]"))
    separatorId = try vocabulary.id(of: .text("[SEP]"))
    maskId = try vocabulary.id(of: .text("[MASK]"))
    decoderId = try vocabulary.id(of: .text("[DEC]"))
    tokens = vocabulary.tokens.compactMap { $0 }
    vocabularySize = tokens.count
    specialIds = Set(additionalTokens.compactMap { vocabulary.id(of: $0.utf8) })
      .union([padId, unknownId, classId, separatorId, maskId, decoderId])
    specialTokens = try TokenTrie(literals: specialIds, of: vocabulary)

    var wordStarts = TokenTrie()
    var continuations = TokenTrie()
    for (token, id) in zip(tokens, Int32(0)...) {
      wordStarts.insert(token, id: id)
      if token.starts(with: Self.continuationPrefix), token.count > Self.continuationPrefix.count {
        continuations.insert(token.dropFirst(Self.continuationPrefix.count), id: id)
      }
    }
    self.wordStarts = wordStarts
    self.continuations = continuations
  }

  /// The ids of `text` alone: nothing in front, nothing behind, nothing cut.
  public func encode(_ text: String) -> [Int32] {
    encode(text, limit: .max)
  }

  /// `[CLS]`, the ids of `text`, `[SEP]`: at most `maximumLength` ids in all, cut before the `[SEP]`.
  ///
  /// - Precondition: `maximumLength >= 2`.
  public func encodeWithSpecialTokens(_ text: String, maximumLength: Int) -> [Int32] {
    precondition(maximumLength >= 2, "\(maximumLength) ids do not hold [CLS] and [SEP]")
    return [classId] + encode(text, limit: maximumLength - 2) + [separatorId]
  }

  /// The first `limit` ids; text beyond them is not looked at.
  private func encode(_ text: String, limit: Int) -> [Int32] {
    var splitter = BERTWordSplitter()
    return specialTokens.encode(text, limit: limit) { stretch, ids in
      splitter.split(stretch) { word, scalarCount in
        appendPieces(of: word, scalarCount: scalarCount, to: &ids)
        return ids.count < limit
      }
    }
  }

  private func appendPieces(
    of word: UnsafeBufferPointer<UInt8>, scalarCount: Int, to ids: inout [Int32]
  ) {
    let firstPiece = ids.count
    var position =
      scalarCount > Self.maximumWordLength ? nil : wordStarts.piece(of: word, at: 0, &ids)
    while let start = position, start < word.count {
      position = continuations.piece(of: word, at: start, &ids)
    }
    if position == nil {
      ids.removeSubrange(firstPiece...)
      ids.append(unknownId)
    }
  }
}

extension TokenTrie {
  /// Appends the longest token of `word` at `start` to `ids`; returns where it ends, nil for none.
  fileprivate func piece(
    of word: UnsafeBufferPointer<UInt8>, at start: Int, _ ids: inout [Int32]
  ) -> Int? {
    guard let match = longestMatch(in: word[start...]) else { return nil }
    ids.append(match.id)
    return start + match.byteCount
  }
}

extension WordPieceTokenizer {
  /// The text of `ids`, as the library's decoder gives it.
  ///
  /// Words are joined by spaces, but for the spaces in front of `.`, `?`, `!` and `,`. Without special
  /// tokens the result is a caption as transformers' `decode(skip_special_tokens=True)` gives it,
  /// where contractions are joined as well: `don't`, not `don ' t`. Ids outside the vocabulary, which
  /// a model with a padded output table can give, are left out.
  public func decode(_ ids: [Int32], skippingSpecialTokens: Bool) -> String {
    var text: [UInt8] = []
    var isFirst = true
    for id in ids where tokens.indices.contains(Int(id)) {
      if skippingSpecialTokens && specialIds.contains(id) { continue }
      var piece = tokens[Int(id)]
      if !isFirst {
        if piece.starts(with: Self.continuationPrefix) {
          piece.removeFirst(Self.continuationPrefix.count)
        } else {
          piece.insert(UInt8(ascii: " "), at: 0)
        }
      }
      DecodedText.tidy(&piece)
      text += piece
      isFirst = false
    }
    if skippingSpecialTokens { DecodedText.tidy(&text) }
    return String(decoding: text, as: UTF8.self)
  }
}
