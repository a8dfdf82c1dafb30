import Foundation

/// Linear warm-up from `start` to `peak`, then a cosine down to `final`, step by step
/// (Li et al. 2023, §3.4; the authors' code steps its cosine once an epoch).
public struct LearningRateSchedule: Codable, Equatable, Sendable {
  public var start = 1e-6
  public var peak = 1e-4
  public var final = 1e-5
  public var warmupSteps = 2000

  public init() {}

  /// The rate of a step, counted from 0.
  /// - Parameter total: The number of steps of the whole run.
  public func rate(step: Int, of total: Int) -> Double {
    if step < warmupSteps {
      return start + (peak - start) * Double(step) / Double(warmupSteps)
    }
    let length = max(1, total - warmupSteps)
    let progress = min(1, Double(step - warmupSteps) / Double(length))
    return final + (peak - final) * (1 + cos(Double.pi * progress)) / 2
  }
}
