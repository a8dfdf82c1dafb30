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

  /// `[CLS] … [SEP]`.
  /// - Parameter maximumLength: Tokens at most; nil for the configuration's.
  public func tokens(_ caption: String, maximumLength: Int? = nil) -> [Int32] {
    tokenizer.encodeWithSpecialTokens(
      cleans ? CaptionText.cleaned(caption) : caption,
      maximumLength: maximumLength ?? self.maximumLength)
  }
}
