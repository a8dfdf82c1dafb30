import Tensors

/// Greedy decoding and sampling: each sequence goes its own way, token by token.
extension TextGenerator {
  private struct Continuation {
    let prompt: Int
    let returned: Int
    /// Its row of the session's present state.
    var row: Int
    var tokens: [Int32] = []
    var logProbability: Float = 0
    var ending: GeneratedSequence.Ending?
  }

  private struct Choice {
    let token: Int32
    /// The logarithm of the sum that makes logits probabilities.
    let logSum: Float
  }

  /// - Parameter start: The logits that follow the prompts, `[prompts, vocabulary]`.
  func chooseTokens(
    _ session: DecodingSession, _ start: Tensor, priorTokens: [[Int32]], firstPrompt: Int
  ) throws -> [[GeneratedSequence]] {
    let prompts = start.rowCount
    var sequences = (0..<prompts).flatMap { prompt in
      (0..<options.returned).map { Continuation(prompt: prompt, returned: $0, row: prompt) }
    }
    var open = Array(sequences.indices)
    var logits = start
    while !open.isEmpty {
      let choices = self.choices(
        for: open.map { sequences[$0] }, logits, priorTokens: priorTokens, firstPrompt: firstPrompt)
      for (index, choice) in zip(open, choices) {
        try take(choice, for: &sequences[index], logits)
      }
      open.removeAll { sequences[$0].ending != nil }
      if open.isEmpty { break }
      if shouldStop() {
        for index in open { sequences[index].ending = .stopped }
        break
      }
      logits = advance(
        session, open.flatMap { sequences[$0].tokens.suffix(1) },
        from: open.map { sequences[$0].row })
      for (row, index) in open.enumerated() { sequences[index].row = row }
    }
    return results(sequences, prompts: prompts)
  }

  /// The next token of each sequence; nil where its logits allow none.
  private func choices(
    for sequences: [Continuation], _ logits: Tensor, priorTokens: [[Int32]], firstPrompt: Int
  ) -> [Choice?] {
    // A copy, as options change the values and several sequences can follow one row.
    let width = logits.width
    var rows = Tensor(shape: [sequences.count, width]) { target in
      logits.read { source in
        for (row, sequence) in sequences.enumerated() {
          (target + row * width).update(from: source + sequence.row * width, count: width)
        }
      }
    }
    return rows.mapLogitRows { row, values in
      let sequence = sequences[row]
      let logSum = values.logSumOfExponentials()
      guard logSum.isFinite else { return nil }
      values.apply(
        options, priorTokens: priorTokens[sequence.prompt], tokens: sequence.tokens)
      return token(after: sequence, values, firstPrompt: firstPrompt).map {
        Choice(token: $0, logSum: logSum)
      }
    }
  }

  private func token(
    after sequence: Continuation, _ values: LogitRow, firstPrompt: Int
  ) -> Int32? {
    guard case .sampling(let sampling) = options.method else {
      return values.bestTokens(1).first?.token
    }
    let sampler = TokenSampler(options: sampling)
    let uniform = sampler.uniform(
      prompt: firstPrompt + sequence.prompt, returned: sequence.returned,
      step: sequence.tokens.count)
    return sampler.draw(values, uniform: uniform)
  }

  private func take(_ choice: Choice?, for sequence: inout Continuation, _ logits: Tensor) throws {
    guard let choice else {
      throw GenerationError.unusableLogits(
        prompt: sequence.prompt, newTokens: sequence.tokens.count)
    }
    let logit = logits.read { $0[sequence.row * logits.width + Int(choice.token)] }
    sequence.logProbability += logit - choice.logSum
    sequence.tokens.append(choice.token)
    if options.endIds.contains(choice.token) {
      sequence.ending = .endToken
    } else if sequence.tokens.count == options.maximumNewTokens {
      sequence.ending = .lengthLimit
    }
    onToken?(sequence.prompt, sequence.returned, choice.token)
  }

  /// The sequences of each prompt, the best first; of equal ones the earlier.
  private func results(_ sequences: [Continuation], prompts: Int) -> [[GeneratedSequence]] {
    var results = [[GeneratedSequence]](repeating: [], count: prompts)
    for sequence in sequences {
      guard let ending = sequence.ending else { continue }
      let score = options.score(sequence.logProbability, newTokens: sequence.tokens.count)
      results[sequence.prompt].insert(
        GeneratedSequence(tokens: sequence.tokens, score: score, ending: ending),
        at: results[sequence.prompt].partitioningIndex { $0.score < score })
    }
    return results
  }
}
