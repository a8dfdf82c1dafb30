import Configuration
import LanguageModels

/// How texts about images are searched for.
public struct GenerationSettings: Codable, Equatable, Sendable {
  @Key(1...256, "Beams of the search; 1 is greedy. Ignored when sampling.")
  public var beams = 5
  @Key(1...4096, "New tokens at most.")
  public var maximumNewTokens = 30
  @Key(0...4096, "New tokens before which a text cannot end.")
  public var minimumNewTokens = 1
  @Key(1e-3...1e3, "More than 1 makes tokens that came before less likely.")
  public var repetitionPenalty: Float = 1
  @Key(-100...100, "The power of the length by which log-probabilities are divided.")
  public var lengthPenalty: Float = 1

  public init() {}

  /// - Parameter ends: The tokens that end a text.
  func options(ends: [Int32]) -> GenerationOptions {
    var options = GenerationOptions(endIds: ends)
    options.method = beams > 1 ? .beams(beams) : .greedy
    options.maximumNewTokens = maximumNewTokens
    options.minimumNewTokens = minimumNewTokens
    options.repetitionPenalty = repetitionPenalty
    options.lengthPenalty = lengthPenalty
    return options
  }
}

extension GenerationOptions {
  /// How many images go together: 16, or fewer where each takes many rows of the search.
  var promptsAtOnce: Int {
    var rows = returned
    if case .beams(let beams) = method { rows = beams }
    return min(16, max(1, 80 / rows))
  }
}
