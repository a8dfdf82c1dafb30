import Foundation

/// Between which numbers a cross-entropy lies: what it is where nothing is learnt, and the least that
/// label smoothing lets it be.
struct LossScale: Equatable {
  /// The entropy of answering all alike.
  var nothing: Double
  /// The entropy of the smoothed targets themselves.
  var floor: Double

  /// A cross-entropy over classes of which one is right.
  /// - Parameters:
  ///   - classes: At least 2.
  ///   - smoothing: The target is `1 − s` at the right class plus `s / classes` everywhere (Szegedy et
  ///     al. 2016).
  init(classes: Int, smoothing: Double) {
    let count = Double(classes)
    let (right, other) = (1 - smoothing + smoothing / count, smoothing / count)
    nothing = log(count)
    floor = LossScale.term(right) + (count - 1) * LossScale.term(other)
  }

  /// How much of the way from `nothing` down to `floor` a loss has gone; below 0 above `nothing`.
  func progress(_ loss: Double) -> Double { (nothing - loss) / max(nothing - floor, 1e-9) }

  /// The cross-entropy of ITM where the head gives every pair the share of matches: one own pair, one
  /// with a negative image, one with a negative text (Li et al. 2023, §3.1).
  static let constantMatch = entropy(ofShare: 1.0 / 3)

  /// The entropy of a yes or no, in nats.
  static func entropy(ofShare share: Double) -> Double { term(share) + term(1 - share) }

  private static func term(_ probability: Double) -> Double {
    probability > 0 ? -probability * log(probability) : 0
  }
}
