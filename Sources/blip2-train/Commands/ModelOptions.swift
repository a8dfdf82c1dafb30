import ArgumentParser
import Foundation
import Training

/// The options by which commands name a trained model.
struct ModelOptions: ParsableArguments {
  @Option(help: "A checkpoint file, or a folder whose newest sound one is taken.")
  var checkpoint: String

  @Option(help: "A recipe in place of the one stored in the checkpoint.")
  var config: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: "Set a key of the recipe, as in vision.path=FOLDER. May be repeated.")
  var overrides: [String] = []

  /// A stage-1 model with its image encoder; no data set is opened.
  func loadStageOne() throws -> StageOneCheckpoint {
    try StageOneCheckpoint(
      checkpoint, configuration: config, overrides: overrides, reading: [],
      report: StandardError.write)
  }

  /// A stage-2 model with its image encoder and its language model.
  /// - Parameter parts: Which of the recipe's data sets are wanted.
  func loadStageTwo(reading parts: Set<RunData.Part> = []) throws -> StageTwoCheckpoint {
    try StageTwoCheckpoint(
      checkpoint, configuration: config, overrides: overrides, reading: parts,
      report: StandardError.write)
  }
}

/// Work that a signal may end before it has anything to save.
enum Interruption {
  /// - Throws: An exit code of 128 and the signal's number in place of `Interrupted`.
  static func exiting<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let interruption as Interrupted {
      throw ExitCode(128 + interruption.signal)
    }
  }
}
