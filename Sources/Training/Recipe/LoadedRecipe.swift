import Configuration
import Datasets
import Foundation

/// A trained model, loaded with all that it was trained with, to be used.
public struct LoadedRecipe<R: Recipe> {
  package let recipe: R
  package let file: any TrainedModel

  package var configuration: R.Configuration { recipe.configuration }

  /// - Parameters:
  ///   - file: What was trained.
  ///   - configuration: A recipe in place of the stored one.
  ///   - parts: Which of the recipe's data sets are wanted.
  ///   - report: Is told what a person should know.
  /// - Throws: `RunError` where the files at hand are not those that it was trained with, and the errors
  ///   of the files that are read.
  package init(
    _ file: any TrainedModel, configuration given: String? = nil, overrides: [String] = [],
    reading parts: Set<DataPart>, report: @escaping (String) -> Void
  ) throws {
    self.file = file
    let configuration: R.Configuration
    if let given {
      let stored = try file.configuration(of: R.self)
      configuration = try R.load(
        URL(fileURLWithPath: given), overrides: overrides, earlier: stored, note: report)
    } else {
      configuration = try file.usableConfiguration(
        of: R.self, overrides: overrides, report: report)
    }
    recipe = try R(configuration, reading: parts)
    recipe.reports(to: report)
    try file.requireFiles(
      recipe.fingerprints(), usedBy: recipe.configuration, advice: R.filesAdvice)
    try file.load(into: recipe.model.trainedParameters)
  }
}

extension TrainedModel {
  /// The configuration of a run.
  /// - Throws: `RunError.wrongKind` for a checkpoint of another recipe, or `ConfigurationError`.
  package func configuration<R: Recipe>(of recipe: R.Type) throws -> R.Configuration {
    guard metadata.kind == R.name else {
      throw RunError.wrongKind(file: url.path, expected: R.name, found: metadata.kind)
    }
    return try ConfigurationLoader.load(
      R.Configuration(), text: metadata.configuration, name: url.path)
  }

  /// The configuration of a run, to be used from any folder: relative paths that lead to nothing are
  /// taken from the folder of the run.
  /// - Parameter report: Is told of keys that have another name by now, and of such paths.
  /// - Throws: As `configuration(of:)`.
  package func usableConfiguration<R: Recipe>(
    of recipe: R.Type, overrides: [String] = [], report: (String) -> Void
  ) throws -> R.Configuration {
    var stored = try configuration(of: R.self)
    if let folder = metadata.workingFolder {
      let (completed, keys) = try InputPaths.completed(
        stored, like: R.Configuration(), from: folder
      ) { [stored] in SourceLocation.leadsSomewhere(stored.resolved($0)) }
      stored = completed
      let used = keys.filter { key in !overrides.contains { $0.hasPrefix("\(key)=") } }
      if !used.isEmpty {
        report("paths that are not here are taken from \(folder): \(used.joined(separator: ", "))")
      }
    }
    return try ConfigurationLoader.load(
      stored, like: R.Configuration(), overrides: overrides, note: report)
  }
}
