import ArgumentParser
import Foundation
import Training

/// The options by which commands name a stage-1 model.
struct StageOneModelOptions: ParsableArguments {
  @Option(help: "A checkpoint file, or a folder whose newest sound one is taken.")
  var checkpoint: String

  @Option(help: "A recipe in place of the one stored in the checkpoint.")
  var config: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: "Set a key of the recipe, as in vision.path=FOLDER. May be repeated.")
  var overrides: [String] = []

  /// The model with its image encoder; no data set is opened.
  func load() throws -> StageOneCheckpoint {
    try StageOneCheckpoint(
      checkpoint, configuration: config, overrides: overrides, reading: [],
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
