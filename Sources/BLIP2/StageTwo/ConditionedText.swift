import LanguageModels
import Tensors

/// A text in two parts: what the language model is given after the soft prompt, and what it is to
/// predict.
public struct ConditionedText: Equatable, Sendable {
  /// The tokens that are given; for an encoder-decoder with its end token.
  public var prefix: [Int32]
  /// The tokens that are predicted, the end token among them.
  public var target: [Int32]

  public init(prefix: [Int32], target: [Int32]) {
    self.prefix = prefix
    self.target = target
  }
}

/// How a language model's texts are put together from token ids (Li et al. 2023, §3.2).
///
/// A decoder's text is `[start] tokens [end]`, one sequence after the soft prompt; an
/// encoder-decoder's prefix `tokens [end]` goes to the encoder and its target `tokens [end]` to the
/// decoder.
public struct PromptTemplate: Sendable {
  /// The token in front of a decoder's texts, where its tokenizer puts one there. It is predicted from
  /// the soft prompt alone, as the original does, and begins a generation.
  public let start: Int32?
  /// What ends a text, and a generation: the line feed with OPT.
  public let end: Int32
  public let hasEncoder: Bool
  /// Tokens at most: of a decoder's text; of each side of an encoder-decoder.
  public let maximumLength: Int

  public init(start: Int32?, end: Int32, hasEncoder: Bool, maximumLength: Int) {
    precondition(maximumLength >= 3, "\(maximumLength) tokens leave no room for a text")
    self.start = hasEncoder ? nil : start
    self.end = end
    self.hasEncoder = hasEncoder
    self.maximumLength = maximumLength
  }

  /// A text whose first tokens are given.
  /// - Parameter given: How many of the tokens are the prefix; fewer, where a decoder's text is cut, so
  ///   that something is left to predict.
  public func text(_ tokens: [Int32], given: Int) -> ConditionedText {
    guard hasEncoder else {
      let whole = ((start.map { [$0] } ?? []) + tokens + [end]).prefix(maximumLength)
      // The start token is predicted where nothing else is given, as in the original.
      let wanted = given == 0 ? 0 : given + (start == nil ? 0 : 1)
      let count = min(wanted, whole.count - 1)
      return ConditionedText(
        prefix: Array(whole.prefix(count)), target: Array(whole.dropFirst(count)))
    }
    return ConditionedText(
      prefix: Array(tokens.prefix(given).prefix(maximumLength - 1)) + [end],
      target: Array(tokens.dropFirst(given).prefix(maximumLength - 1)) + [end])
  }

  /// A text cut in two at a drawn place: the prefix is 1 to n/2 of its n tokens, each number as
  /// likely as any other; with fewer than 2 tokens it is empty.
  public func drawnText(_ tokens: [Int32], using random: inout RandomStream) -> ConditionedText {
    guard tokens.count >= 2 else { return text(tokens, given: 0) }
    // A decoder's text is cut first, or there might be nothing left of the rest.
    let tokens = hasEncoder ? tokens : Array(tokens.prefix(maximumLength))
    return text(tokens, given: Int.random(in: 1...tokens.count / 2, using: &random))
  }

  /// What stands before a generated text.
  /// - Parameter prompt: The tokens of the prompt, none for a plain caption.
  public func beginning(_ prompt: [Int32]) -> [Int32] {
    hasEncoder ? prompt + [end] : (start.map { [$0] } ?? []) + prompt
  }
}
