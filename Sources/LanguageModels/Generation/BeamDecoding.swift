import Tensors

/// Beam search over a batch of prompts: the beams of all open searches take each step together.
extension TextGenerator {
  /// - Parameter start: The logits that follow the prompts, `[prompts, vocabulary]`.
  func searchBeams(
    _ session: DecodingSession, _ start: Tensor, priorTokens: [[Int32]]
  ) throws -> [[GeneratedSequence]] {
    var searches = (0..<start.rowCount).map { _ in BeamSearch(options) }
    var open = Array(searches.indices)
    var logits = start
    for step in 0..<options.maximumNewTokens {
      let continuations = try self.continuations(of: searches, &logits, priorTokens)
      var (tokens, parents, row) = ([Int32](), [Int](), 0)
      for prompt in open {
        let rows = row..<row + searches[prompt].running.count
        searches[prompt].advance(continuations[rows])
        if searches[prompt].running.isEmpty, searches[prompt].best.isEmpty {
          throw GenerationError.unusableLogits(prompt: prompt, newTokens: step)
        }
        for beam in searches[prompt].running {
          tokens += beam.tokens.suffix(1)
          parents.append(row + beam.parent)
        }
        row = rows.upperBound
      }
      open.removeAll { searches[$0].running.isEmpty }
      if open.isEmpty { break }
      if shouldStop() {
        for prompt in open { searches[prompt].stop() }
        break
      }
      logits = advance(session, tokens, from: parents)
    }
    return searches.map(\.best)
  }

  /// For each running beam of all searches its best tokens with their log-probabilities, as the
  /// options change them.
  private func continuations(
    of searches: [BeamSearch], _ logits: inout Tensor, _ priorTokens: [[Int32]]
  ) throws -> [[ScoredToken]] {
    let rows = searches.enumerated().flatMap { prompt, search in
      search.running.map { (prompt: prompt, tokens: $0.tokens) }
    }
    let continuations = logits.mapLogitRows { row, values -> [ScoredToken]? in
      let logSum = values.logSumOfExponentials()
      guard logSum.isFinite else { return nil }
      values.subtract(logSum)
      values.apply(options, priorTokens: priorTokens[rows[row].prompt], tokens: rows[row].tokens)
      return values.bestTokens(options.breadth)
    }
    return try zip(rows, continuations).map { row, continuation in
      guard let continuation else {
        throw GenerationError.unusableLogits(prompt: row.prompt, newTokens: row.tokens.count)
      }
      return continuation
    }
  }
}
