import Foundation

/// One thing that a run's numbers say.
public struct Finding: Encodable, Equatable, Sendable {
  public enum Verdict: String, Encodable, Sendable {
    /// As it should be at this place.
    case usual
    /// Too early to judge.
    case early
    /// Not usual: the text says what to do.
    case odd
    /// Could not be known.
    case unknown
  }

  public enum Kind: String, Encodable, CaseIterable, Sendable {
    case noRecipe, damagedLines, tooFewPoints, warmingUp
    case matchConstant, matchLearning, matchWorseThanConstant
    case contrastNothing, contrastLearning, contrastFloor
    case generationNothing, generationLearning, generationFloor
    case languageModelNothing, languageModelLearning, languageModelFloor
    /// Below what label smoothing and batch allow.
    case belowFloor
    case rising, notFinite, skippedSteps, gradientsClipped, gradientsVanish
    case overfitting, recallAtChance, recall, temperature
    case referenceSettings, reference, referenceVerdict
    case nothingOdd
  }

  public let kind: Kind
  public let verdict: Verdict
  /// The metric that it is about, as in `metrics.jsonl` with its kind: `train/itc`.
  public var metric: String?
  public let step: Int
  /// What was found.
  public var value: Double?
  /// What `value` is held against.
  public var expected: Double?
  /// The number, what it means, what to do.
  public let text: String

  /// `odd      ITM 0.6364 at …`
  public var line: String {
    verdict.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0) + text
  }
}

/// Numbers in the sentences of findings.
enum Words {
  /// Four significant digits.
  static func number(_ value: Double) -> String { String(format: "%.4g", value) }

  /// `28 %`
  static func percent(_ share: Double) -> String { String(format: "%.0f %%", 100 * share) }

  /// `step 40`, or `steps 40 to 60`
  static func steps(_ steps: [Double]) -> String {
    let (first, last) = (Int(steps.first ?? 0), Int(steps.last ?? 0))
    return first == last ? "step \(first)" : "steps \(first) to \(last)"
  }
}
