import BLIP2
import Checkpointing
import Foundation

/// A stage-1 checkpoint with the data it is judged on.
public struct StageOneEvaluation {
  private let configuration: StageOneRunConfiguration
  let task: StageOneTask
  private let file: CheckpointFile

  /// - Parameters:
  ///   - checkpoint: A file, or a folder whose newest sound one is taken.
  ///   - configuration: A recipe in place of the stored one.
  ///   - report: Is told what a person should know.
  public init(
    checkpoint: String, configuration path: String?, overrides: [String],
    report: (String) -> Void
  ) throws {
    file = try CheckpointFile.open(fileOrFolder: checkpoint, report: report)
    let stored = try file.stageOneConfiguration(overrides: path == nil ? overrides : [])
    configuration =
      try path.map {
        try ConfigurationLoader.load(
          StageOneRunConfiguration(), file: URL(fileURLWithPath: $0), overrides: overrides)
      } ?? stored
    task = try StageOneRun(configuration, readsTraining: false).task
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

  /// The outcome, for people and for programs.
  public struct Retrieval {
    public let text: String
    let values: [(name: String, value: Double)]
    let file: CheckpointFile

    /// One JSON object with the checkpoint, its step and every number.
    public var json: String {
      get throws {
        var object: [String: Any] = [
          "checkpoint": file.url.path, "step": file.metadata.step,
        ]
        for (name, value) in values { object[name] = value }
        let data = try JSONSerialization.data(
          withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
      }
    }
  }

  /// Retrieval on the held-out pairs; nil if the run was asked to stop.
  public func retrieval() throws -> Retrieval? {
    guard let dataset = task.data.validation else {
      throw ConfigurationError.invalidValue(
        field: "data.validation.path", found: "null", expected: DataSourceWords.kinds,
        advice: "name one by --set data.validation.path=LIST")
    }
    let evaluation = RetrievalEvaluation(
      model: task.model, tower: task.tower, data: task.data,
      configuration: configuration.validation)
    guard let result = try evaluation.run(on: dataset) else { return nil }
    let heading = "\(file.url.path), step \(file.metadata.step)"
    return Retrieval(
      text: heading + "\n" + result.table,
      values: result.values + [
        ("images", Double(result.imageCount)), ("texts", Double(result.textCount)),
      ], file: file)
  }
}
