import Checkpointing
import Configuration
import Foundation

/// A checkpoint, loaded with all that it was trained with, to be used.
public struct LoadedRecipe<R: Recipe> {
  package let recipe: R
  package let file: CheckpointFile

  package var configuration: R.Configuration { recipe.configuration }

  /// - Parameters:
  ///   - path: A file, or a folder whose newest sound one is taken.
  ///   - configuration: A recipe in place of the stored one.
  ///   - parts: Which of the recipe's data sets are wanted.
  ///   - report: Is told what a person should know.
  /// - Throws: `RunError` where the files at hand are not those that it was trained with, and the errors
  ///   of the files that are read.
  public init(
    _ path: String, configuration given: String? = nil, overrides: [String] = [],
    reading parts: Set<DataPart>, report: @escaping (String) -> Void
  ) throws {
    file = try CheckpointFile.open(fileOrFolder: path, report: report)
    var stored = try file.configuration(of: R.self)
    if let folder = file.metadata.workingFolder {
      stored = try InputPaths.completed(
        stored, like: R.Configuration(), from: URL(fileURLWithPath: folder, isDirectory: true),
        resolve: stored.resolved, report: report)
    }
    let configuration =
      try given.map {
        try R.load(URL(fileURLWithPath: $0), overrides: overrides, earlier: stored, note: report)
      } ?? ConfigurationLoader.load(stored, overrides: overrides)
    recipe = try R(configuration, reading: parts)
    recipe.reports(to: report)
    try file.requireSame(try recipe.fingerprints(), except: ["data"], advice: R.filesAdvice)
    try file.load(into: recipe.model.trainedParameters)
  }
}

extension CheckpointFile {
  /// The configuration of a run.
  /// - Throws: `RunError.wrongKind` for a checkpoint of another recipe, or `ConfigurationError`.
  package func configuration<R: Recipe>(of recipe: R.Type) throws -> R.Configuration {
    guard metadata.kind == R.name else {
      throw RunError.wrongKind(file: url.path, expected: R.name, found: metadata.kind)
    }
    return try ConfigurationLoader.load(
      R.Configuration(), text: metadata.configuration, name: url.path)
  }
}
