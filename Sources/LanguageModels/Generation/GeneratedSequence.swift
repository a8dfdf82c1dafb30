import Glibc

/// A continuation of a prompt.
public struct GeneratedSequence: Equatable, Sendable {
  /// Why a sequence goes no further.
  public enum Ending: Equatable, Sendable {
    /// An end token came; it is the last one.
    case endToken
    case lengthLimit
    /// The caller asked to stop before the sequence was done.
    case stopped
  }

  /// The new tokens, the end token included if it came.
  public let tokens: [Int32]
  /// Summed log-probability of the new tokens / their number to the power of the length penalty.
  ///
  /// Beam search sums what it searches by: with the repetition penalty's changes. Otherwise the sums
  /// are of the model's own log-probabilities, whatever changed the choice.
  public let score: Float
  public let ending: Ending
}

extension GenerationOptions {
  /// What a sequence of that many new tokens counts beside others.
  func score(_ logProbability: Float, newTokens: Int) -> Float {
    logProbability / pow(Float(newTokens), lengthPenalty)
  }
}
