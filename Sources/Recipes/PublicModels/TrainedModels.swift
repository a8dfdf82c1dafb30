import Checkpointing
import Training

/// The door by which trained models come in.
public enum TrainedModels {
  /// Opens what a path leads to: a checkpoint; a run's folder, whose newest sound one is taken; or a
  /// public model.
  /// - Parameter report: Is told what a person should know.
  /// - Throws: `CheckpointError`, `RunError.noCheckpoint`, `ModelConfigurationError` or `WeightFileError`.
  public static func open(
    _ path: String, report: (String) -> Void
  ) throws -> any TrainedModel {
    guard PublicModelPath.leadsToModel(path) else {
      return try CheckpointFile.open(fileOrFolder: path, report: report)
    }
    let model = try PublicCheckpoint(path)
    for note in model.notes { report("note: \(note)") }
    return model
  }
}

extension LoadedRecipe {
  /// - Parameters:
  ///   - path: As `TrainedModels.open` takes it.
  ///   - configuration: A recipe in place of the stored one.
  ///   - parts: Which of the recipe's data sets are wanted.
  ///   - report: Is told what a person should know.
  /// - Throws: `RunError` where the files at hand are not those that it was trained with, and the errors
  ///   of the files that are read.
  public init(
    _ path: String, configuration: String? = nil, overrides: [String] = [],
    reading parts: Set<DataPart>, report: @escaping (String) -> Void
  ) throws {
    try self.init(
      TrainedModels.open(path, report: report), configuration: configuration, overrides: overrides,
      reading: parts, report: report)
  }
}
