import BLIP2
import Checkpointing
import Configuration
import Foundation

/// A stage-1 checkpoint, loaded with its image encoder and tokenizer to be used.
public struct StageOneCheckpoint {
  let configuration: StageOneRunConfiguration
  let task: StageOneTask
  let file: CheckpointFile

  /// - Parameters:
  ///   - path: A file, or a folder whose newest sound one is taken.
  ///   - configuration: A recipe in place of the stored one.
  ///   - parts: Which of the recipe's data sets are wanted.
  ///   - report: Is told what a person should know.
  /// - Throws: `RunError` where image encoder or vocabulary are not those that it was trained with, and
  ///   the errors of the files that are read.
  public init(
    _ path: String, configuration recipe: String? = nil, overrides: [String] = [],
    reading parts: Set<RunData.Part>, report: @escaping (String) -> Void
  ) throws {
    file = try CheckpointFile.open(fileOrFolder: path, report: report)
    let stored = try file.stageOneConfiguration(overrides: recipe == nil ? overrides : [])
    configuration =
      try recipe.map {
        try ConfigurationLoader.load(
          StageOneRunConfiguration(), file: URL(fileURLWithPath: $0), overrides: overrides)
      } ?? stored
    let run = try StageOneRun(configuration, reading: parts)
    task = run.task
    task.data.features?.report = report
    var now = try run.fingerprints()
    now["vision"] = task.tower.fingerprint
    try file.requireSame(
      now, except: ["data"],
      advice: "Name what it was trained with: --set vision.path=FOLDER, --set data.vocabulary=FILE."
    )
    try file.load(into: task.trainedParameters)
  }
}
