import Files
import Foundation

/// Why runs cannot be drawn.
public enum PlotError: Error, Equatable {
  case cannotRead(ReadFailure)
  case noNumbers(file: String)
  case unknownMetric(name: String, known: [String])
  /// Runs of a group never logged the metric at the same step.
  case noCommonSteps(group: String, metric: String)
  case emptyGroup(argument: String)
}

extension PlotError: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .cannotRead(let failure):
      return "\(failure); name the output folder of a run"
    case .noNumbers(let file):
      return "\(file): expected numbers by step, found none; the run has logged nothing yet"
    case .unknownMetric(let name, let known):
      return "--metric \(name): no run has it; known are:\n"
        + known.map { "  \($0)" }.joined(separator: "\n")
    case .noCommonSteps(let group, let metric):
      return "\(group): its runs have no step in common at which \(metric) was logged; "
        + "plot them as runs of their own"
    case .emptyGroup(let argument):
      return "\(argument): expected FOLDER or LABEL=FOLDER,FOLDER,…, found no folder"
    }
  }

  public var errorDescription: String? { description }
}
