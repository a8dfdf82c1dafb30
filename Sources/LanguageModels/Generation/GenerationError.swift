import Foundation

/// What can keep text from being generated.
public enum GenerationError: Error, Equatable, Sendable {
  /// An option has no meaning; fields are named as on the command line.
  case invalidOption(field: String, expected: String, found: String)
  /// The model does not know a token that should end its sequences.
  case unknownEndToken(Int32, vocabularySize: Int)
  /// The model's logits, after so many new tokens, leave nothing to choose from.
  case unusableLogits(prompt: Int, newTokens: Int)
}

extension GenerationError: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .invalidOption(let field, let expected, let found):
      return "\(field): expected \(expected), found \(found)"
    case .unknownEndToken(let token, let size):
      return "end token: expected an id from 0 to \(size - 1), found \(token); "
        + "do the tokenizer and the language model belong together?"
    case .unusableLogits(let prompt, let newTokens):
      return "prompt \(prompt), after \(newTokens) new tokens: expected logits that are numbers, "
        + "some of them above minus infinity and not of a barred end token, found none; "
        + "are the weights damaged?"
    }
  }

  public var errorDescription: String? { description }
}
