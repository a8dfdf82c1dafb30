import Files
import Foundation

/// Why a run's curves cannot be held against others, or be kept for that.
public enum CurveError: Error, Equatable {
  case cannotRead(ReadFailure)
  case notAReference(file: String, reason: String)
  /// No checkpoint says what the run's recipe and seed were.
  case noRecipe(folder: String, reason: String)
  case sameSeed(folders: [String], seed: UInt64)
  /// Runs of one reference have to differ in their seeds alone.
  case otherSettings(folders: [String], differences: [String])
  case noCommonSteps(what: String)
}

extension CurveError: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .cannotRead(let failure):
      "\(failure); name a file that --write-reference wrote"
    case .notAReference(let file, let reason):
      "\(file) is no reference of curves: \(reason); write one by "
        + "blip2-train doctor --run A --run B --write-reference FILE"
    case .noRecipe(let folder, let reason):
      "\(folder): the run's recipe and seed are read from a checkpoint, and there is none that "
        + "can be read: \(reason); train on to the first one, or name another run"
    case .sameSeed(let folders, let seed):
      "\(folders.joined(separator: ", ")) have the same seed, \(seed), and so the same curves; "
        + "give each run its own by --set seed=N"
    case .otherSettings(let folders, let differences):
      "\(folders.joined(separator: " and ")) differ in more than their seeds:\n"
        + differences.map { "  \($0)" }.joined(separator: "\n")
        + "\nname runs of one recipe"
    case .noCommonSteps(let what):
      "\(what): no loss was logged at a step that all have; log as often as the others, by "
        + "--set log.every=N"
    }
  }
}
