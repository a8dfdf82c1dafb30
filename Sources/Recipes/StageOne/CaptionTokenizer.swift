import Datasets
import Foundation
import Tokenizers
import Training

/// Turns captions into token ids as a run's configuration says.
public struct CaptionTokenizer: Sendable {
  public let tokenizer: WordPieceTokenizer
  let maximumLength: Int
  let cleans: Bool

  /// - Throws: `KeyedError` around a `TokenizerError`.
  public init(_ configuration: DataConfiguration) throws {
    tokenizer = try KeyedError.naming("data.vocabulary", path: configuration.vocabulary) {
      try WordPieceTokenizer(vocabularyFile: configuration.vocabularyFile)
    }
    maximumLength = configuration.maximumTextLength
    cleans = configuration.cleanCaptions
  }

  /// What training makes of a caption.
  func read(_ caption: String) -> CaptionTokens {
    let ids = tokenizer.encode(cleans ? CaptionText.cleaned(caption) : caption)
    // [CLS] and [SEP] besides.
    let count = ids.count + 2
    let isCut = count > maximumLength || cleans && CaptionText.isCut(caption)
    return CaptionTokens(
      count: count,
      problem: ids.isEmpty
        ? .empty
        : ids.allSatisfy { $0 == tokenizer.unknownId } ? .unknown : isCut ? .cut : nil)
  }

  /// `[CLS] … [SEP]`.
  /// - Parameter maximumLength: Tokens at most; nil for the configuration's.
  public func tokens(_ caption: String, maximumLength: Int? = nil) -> [Int32] {
    tokenizer.encodeWithSpecialTokens(
      cleans ? CaptionText.cleaned(caption) : caption,
      maximumLength: maximumLength ?? self.maximumLength)
  }
}
