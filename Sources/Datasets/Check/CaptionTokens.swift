/// What a tokenizer makes of a caption.
public struct CaptionTokens: Sendable {
  /// How many there are, without a limit.
  public var count: Int
  /// What is wrong with them; nil for nothing.
  public var problem: Problem?

  public enum Problem: Sendable {
    /// Cleaning leaves nothing, or nothing that is a token.
    case empty
    /// All are the token that stands for unknown words.
    case unknown
    /// Training sees the beginning only.
    case cut
  }

  public init(count: Int, problem: Problem?) {
    self.count = count
    self.problem = problem
  }

  /// Why a caption is not trained on; nil where it is.
  public var refusal: String? {
    switch problem {
    case .empty: "its caption holds no word"
    case .unknown: "its caption holds no word that the vocabulary has"
    case .cut, nil: nil
    }
  }
}

/// The captions of a source of which little or nothing reaches a model.
public struct CaptionTally: Sendable {
  private var tallies: [SourceFinding.Kind: SourceFinding] = [:]

  public init() {}

  /// - Parameter path: The caption's image.
  public mutating func add(_ caption: String, of path: String, _ tokens: CaptionTokens) {
    let kind: SourceFinding.Kind
    switch tokens.problem {
    case nil: return
    case .empty: kind = .withoutWords
    case .unknown: kind = .unknownWords
    case .cut: kind = .cutCaptions
    }
    let shown = caption.count > 60 ? caption.prefix(60) + "…" : caption[...]
    tallies[kind, default: SourceFinding(kind)].add("\(path): \"\(shown)\"")
  }

  public var findings: [SourceFinding] {
    [.withoutWords, .unknownWords, .cutCaptions].compactMap { tallies[$0] }
  }
}
