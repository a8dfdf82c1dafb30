/// How text is generated.
public struct GenerationOptions: Equatable, Sendable {
  public enum Method: Equatable, Sendable {
    /// The likeliest token at each step.
    case greedy
    /// A search that keeps this many continuations of each prompt; 1 is greedy.
    case beams(Int)
    /// A token drawn at each step.
    case sampling(Sampling)
  }

  /// From which tokens, and how, one is drawn.
  public struct Sampling: Equatable, Sendable {
    /// Draws are from the fewest tokens that together have this probability (Holtzman et al. 2020,
    /// "The curious case of neural text degeneration"); 1 is all of them.
    public var topP: Float
    /// Logits are divided by this: below 1 likely tokens become likelier.
    public var temperature: Float
    /// Draws are from this many of the likeliest tokens, and those as likely as the last of them.
    public var topK: Int?
    public var seed: UInt64

    public init(
      topP: Float = 1, temperature: Float = 1, topK: Int? = nil, seed: UInt64 = 0
    ) {
      self.topP = topP
      self.temperature = temperature
      self.topK = topK
      self.seed = seed
    }
  }

  /// How beams that are done compare with others.
  public enum BeamRule: Equatable, Sendable {
    /// That of transformers 5: the search is over once the best of the beams that go on is no better than
    /// the worst that is done.
    case present
    /// That of transformers up to 4.31, which the original's captioner of stage 1 used: a beam that ends
    /// counts as well for what can still come, and one that the length limit cuts counts a token longer.
    case original
  }

  public var method = Method.greedy
  public var beamRule = BeamRule.present
  /// New tokens at most, the end token among them.
  public var maximumNewTokens = 30
  /// New tokens before which no end token can come.
  public var minimumNewTokens = 0
  /// Tokens seen before lose: their negative values are multiplied by this, others divided by it
  /// (Keskar et al. 2019, "CTRL"); 1 changes nothing. The values are logits, for beams
  /// log-probabilities.
  public var repetitionPenalty: Float = 1
  /// Sequences compare by log-probability / length to this power: the greater, the longer they are.
  public var lengthPenalty: Float = 1
  /// How many sequences are returned for each prompt.
  public var returned = 1
  /// The tokens that end a sequence; with none, each goes on to the greatest length.
  public var endIds: [Int32]

  public init(endIds: [Int32]) {
    self.endIds = endIds
  }

  /// Most beams, and most sequences of a prompt: each takes a row of the model's memory.
  public static let mostRows = 256
  /// Most new tokens, far beyond the positions of the models.
  public static let mostNewTokens = 1 << 20

  /// - Throws: `GenerationError.invalidOption` for the first value that has no meaning.
  public func validate() throws {
    try check(returned, "--captions", in: 1...GenerationOptions.mostRows)
    switch method {
    case .greedy:
      try check(returned, "--captions", in: 1...1, "1 without beams or sampling")
    case .beams(let beams):
      try check(beams, "--beams", in: 1...GenerationOptions.mostRows)
      try check(returned, "--captions", in: 1...beams, "at most the \(beams) of --beams")
    case .sampling(let sampling):
      try sampling.validate()
    }
    try check(maximumNewTokens, "--max-new-tokens", in: 1...GenerationOptions.mostNewTokens)
    try check(
      minimumNewTokens, "--min-new-tokens", in: 0...maximumNewTokens,
      "0 to the \(maximumNewTokens) of --max-new-tokens")
    try check(
      repetitionPenalty, "--repetition-penalty", repetitionPenalty > 0, "a number more than 0")
    try check(lengthPenalty, "--length-penalty", true, "a number")
  }
}

extension GenerationOptions.Sampling {
  fileprivate func validate() throws {
    try check(topP, "--top-p", topP > 0 && topP <= 1, "more than 0 and at most 1")
    try check(temperature, "--temperature", temperature > 0, "a number more than 0")
    if let topK { try check(topK, "--top-k", in: 1...Int.max, "at least 1") }
  }
}

private func check(
  _ value: Int, _ field: String, in range: ClosedRange<Int>, _ expected: String? = nil
) throws {
  if !range.contains(value) {
    throw GenerationError.invalidOption(
      field: field, expected: expected ?? "\(range.lowerBound) to \(range.upperBound)",
      found: String(value))
  }
}

private func check(
  _ value: Float, _ field: String, _ isMeant: Bool, _ expected: String
) throws {
  if !(value.isFinite && isMeant) {
    throw GenerationError.invalidOption(field: field, expected: expected, found: "\(value)")
  }
}
