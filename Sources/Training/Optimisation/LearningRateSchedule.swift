import Configuration
import Foundation

/// Linear warm-up from `start` to `peak`, then a cosine down to `final`, step by step
/// (Li et al. 2023, §3.4; the authors' code steps its cosine once an epoch).
public struct LearningRateSchedule: Codable, Equatable, Sendable {
  @Key(0...10, "The rate of the first step.")
  public var start = 1e-6
  @Key(0...10, "The rate after the warm-up.")
  public var peak = 1e-4
  @Key(0...10, "The rate of the last step.")
  public var final = 1e-5
  @Key(0...Int(Int32.max), "Steps of the linear warm-up.")
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
