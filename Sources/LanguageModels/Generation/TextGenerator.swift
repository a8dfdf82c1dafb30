import Tensors

/// Continues prompts by a language model, whichever it is.
///
/// The rules are those of transformers 5. All prompts advance together, and those that are done leave
/// the batch; what comes for a prompt does not depend on the others.
public struct TextGenerator {
  public let options: GenerationOptions
  /// Called with each token as it comes, for the prompt and the sequence of those returned for it. A
  /// beam search calls it never: its beginnings can change until its end.
  public var onToken: ((_ prompt: Int, _ returned: Int, _ token: Int32) -> Void)?
  /// Asked before each step but the first. Once it says true, what there is so far is returned:
  /// sequences under way as `.stopped`, which in a beam search compare with the finished ones as at
  /// the length limit.
  public var shouldStop: () -> Bool = { false }

  /// - Throws: `GenerationError.invalidOption`.
  public init(_ options: GenerationOptions) throws {
    try options.validate()
    self.options = options
  }

  /// Continues the prompts of a new session.
  /// - Parameters:
  ///   - priorTokens: For each prompt the tokens that count as seen for the repetition penalty: a
  ///     prompt's ids, the decoder's start token; none for a prompt of embeddings. Empty if no
  ///     prompt has any.
  ///   - firstPrompt: The first prompt's number among those of all batches, on which draws depend.
  /// - Returns: For each prompt the sequences asked for, the best first; fewer where a beam search
  ///   over a very small vocabulary finds no more.
  /// - Throws: `GenerationError`, and what the session throws.
  public func sequences(
    _ session: DecodingSession, priorTokens: [[Int32]] = [], firstPrompt: Int = 0
  ) throws -> [[GeneratedSequence]] {
    let known = 0..<session.vocabularySize
    for token in options.endIds where !known.contains(Int(token)) {
      throw GenerationError.unknownEndToken(token, vocabularySize: known.count)
    }
    let logits = try session.start()
    precondition(
      logits.shape.count == 2 && logits.width == known.count,
      "logits of shape \(logits.shape) for a vocabulary of \(known.count)")
    let prompts = logits.rowCount
    precondition(
      priorTokens.isEmpty || priorTokens.count == prompts,
      "prior tokens of \(priorTokens.count) prompts for \(prompts)")
    precondition(
      priorTokens.allSatisfy { $0.allSatisfy { known.contains(Int($0)) } },
      "a prior token lies outside \(known)")
    let prior = priorTokens.isEmpty ? [[Int32]](repeating: [], count: prompts) : priorTokens
    if options.beams > 1 { return try searchBeams(session, logits, priorTokens: prior) }
    return try chooseTokens(session, logits, priorTokens: prior, firstPrompt: firstPrompt)
  }

  /// Takes one more step of the session.
  func advance(_ session: DecodingSession, _ tokens: [Int32], from parents: [Int]) -> Tensor {
    let logits = session.advance(tokens, from: parents)
    precondition(
      logits.shape == [tokens.count, session.vocabularySize],
      "logits of shape \(logits.shape) for \(tokens.count) rows of \(session.vocabularySize)")
    return logits
  }
}
