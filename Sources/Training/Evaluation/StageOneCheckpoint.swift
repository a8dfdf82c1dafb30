import BLIP2
import Checkpointing
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
  /// - Throws: `RunError` where the image encoder is not the one that it was trained with, and the
  ///   errors of the files that are read.
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
    task = try StageOneRun(configuration, reading: parts).task
    task.data.features?.report = report
    let (then, now) = (file.metadata.fingerprints["vision"], task.tower.fingerprint)
    if then != now {
      let none = "none (trained in the run)"
      throw RunError.differsFromCheckpoint(
        file: file.url.path,
        differences: [
          "vision: the checkpoint was made with \(then ?? none), now it is \(now ?? none)"
        ],
        advice: "Name the image encoder that it was trained with: --set vision.path=FOLDER.")
    }
    try file.load(into: task.trainedParameters)
  }
}
