/// The beam search of one prompt.
///
/// Each step takes the best continuations of all beams. Those that end and are among the first
/// `beams` are finished, with their score; of the others the best `beams` go on. At the length limit
/// all count as ended. The search is over once `beams` are finished and the best of the others, at
/// its present length, is no better than the worst of them; `GenerationOptions.BeamRule` says what
/// differs in earlier libraries.
struct BeamSearch {
  struct Beam {
    let tokens: [Int32]
    /// The summed log-probability of its tokens.
    let score: Float
    /// Which of the beams of the step before it continues.
    let parent: Int
  }

  private let options: GenerationOptions
  /// The beams that go on, the best first; none once the search is over.
  private(set) var running = [Beam(tokens: [], score: 0, parent: 0)]
  /// At most `beams`, the best first.
  private var finished: [GeneratedSequence] = []

  init(_ options: GenerationOptions) {
    self.options = options
  }

  /// The sequences asked for, the best first; none where no continuation was possible.
  var best: [GeneratedSequence] { Array(finished.prefix(options.returned)) }

  /// Takes one step.
  /// - Parameter continuations: For each running beam its best tokens with their log-probabilities.
  mutating func advance(_ continuations: ArraySlice<[ScoredToken]>) {
    let candidates = self.candidates(continuations)
    let length = (running.first?.tokens.count ?? 0) + 1
    let isAtLimit = length == options.maximumNewTokens
    var next: [Beam] = []
    for (rank, candidate) in candidates.enumerated() {
      let ends = options.endIds.contains(candidate.token)
      if ends || (isAtLimit && options.beamRule == .present) {
        if rank < options.beams { finish(beam(candidate), ends ? .endToken : .lengthLimit) }
      } else if next.count < options.beams {
        next.append(beam(candidate))
      }
    }
    running = next
    let best = options.beamRule == .present ? running.first?.score : candidates.first?.score
    if let best, finished.count == options.beams, let worst = finished.last,
      options.score(best, newTokens: length) <= worst.score
    {
      running = []
    }
    if isAtLimit {
      for beam in running { finish(beam, .lengthLimit, length: length + 1) }
      running = []
    }
  }

  /// Ends the search now: what goes on counts as finished.
  mutating func stop() {
    for beam in running { finish(beam, .stopped) }
    running = []
  }

  private struct Candidate {
    let parent: Int
    let token: Int32
    let score: Float
  }

  /// The best continuations of all beams; of equal ones that of the earlier beam, then the lower id.
  private func candidates(_ continuations: ArraySlice<[ScoredToken]>) -> ArraySlice<Candidate> {
    var candidates: [Candidate] = []
    for (parent, tokens) in continuations.enumerated() {
      for token in tokens {
        candidates.append(
          Candidate(
            parent: parent, token: token.token, score: running[parent].score + token.value))
      }
    }
    candidates.sort {
      ($1.score, $0.parent, $0.token) < ($0.score, $1.parent, $1.token)
    }
    return candidates.prefix(options.breadth)
  }

  private func beam(_ candidate: Candidate) -> Beam {
    Beam(
      tokens: running[candidate.parent].tokens + [candidate.token], score: candidate.score,
      parent: candidate.parent)
  }

  /// Keeps the sequence if it is among the best; of equal ones those that came earlier.
  /// - Parameter length: The tokens that it counts for, where these are not its own.
  private mutating func finish(
    _ beam: Beam, _ ending: GeneratedSequence.Ending, length: Int? = nil
  ) {
    let score = options.score(beam.score, newTokens: length ?? beam.tokens.count)
    finished.insert(
      GeneratedSequence(tokens: beam.tokens, score: score, ending: ending),
      at: finished.partitioningIndex { $0.score < score })
    if finished.count > options.beams { finished.removeLast() }
  }
}

extension GenerationOptions {
  /// How many continuations of a prompt a search keeps; 1 where there is no search.
  var beams: Int { if case .beams(let beams) = method { beams } else { 1 } }

  /// How many continuations each step looks at: so many that `beams` of them do not end.
  var breadth: Int { max(2, 1 + endIds.count) * beams }
}
