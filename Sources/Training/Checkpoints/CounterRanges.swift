import Checkpointing
import Foundation

extension CheckpointFile {
  /// Which numbers a run's counters may have: what lies outside was not written by a run, and would
  /// make one go on with numbers that mean nothing.
  private static let counterRanges: [String: ClosedRange<Double>] = [
    "threads": 1...65_536, "processes": 1...65_536, "skippedImages": 0...0x1p53,
  ]
  /// Counters of steps, of which there are no more than the run has taken.
  private static let stepCounters: Set = [
    "updates", "bestStep", "validatedStep", "skippedSteps", "loggedSteps",
  ]

  /// Holds the numbers of the run against what runs write.
  /// - Throws: `CheckpointError.wrongLayout`.
  func checkCounters() throws {
    if let named = CheckpointFolder.step(ofFileName: url.lastPathComponent), named != metadata.step
    {
      throw CheckpointError.wrongLayout(
        url, path: "run/step", expected: "\(named), as the file's name says",
        found: "\(metadata.step)")
    }
    for (name, value) in metadata.counters.sorted(by: { $0.key < $1.key }) {
      let isOfSteps = Self.stepCounters.contains(name)
      guard let range = isOfSteps ? 0...Double(Int32.max) : Self.counterRanges[name] else {
        guard value.isFinite else { throw wrong(name, "a number", value) }
        continue
      }
      guard range.contains(value), value == value.rounded() else {
        let least = Int(range.lowerBound)
        throw wrong(name, "a whole number from \(least) to \(Int(range.upperBound))", value)
      }
      if isOfSteps, value > Double(metadata.step) {
        throw wrong(name, "at most the step, \(metadata.step)", value)
      }
    }
  }

  private func wrong(_ name: String, _ expected: String, _ found: Double) -> CheckpointError {
    .wrongLayout(url, path: "run/counters/\(name)", expected: expected, found: "\(found)")
  }
}
