import Checkpointing
import Configuration
import Foundation

extension Recipe {
  /// Reads a recipe.
  /// - Parameters:
  ///   - output: The output folder, in place of the recipe's.
  ///   - resume: The run that is gone on with: what the recipe leaves open is as it was there.
  ///   - note: Is told of keys that have another name by now.
  /// - Throws: `ConfigurationError`.
  public static func load(
    _ file: URL, overrides: [String] = [], output: String? = nil, resume: ResumeRequest = .none,
    note: (String) -> Void
  ) throws -> Configuration {
    var configuration = try load(file, overrides: overrides, earlier: nil, note: note)
    if let output { configuration.output = output }
    guard let path = resume.path(outputFolder: configuration.outputFolder),
      // What cannot be read is named where the run goes on.
      let checkpoint = try? CheckpointFile.open(fileOrFolder: path, report: { _ in }),
      let earlier = try? checkpoint.configuration(of: Self.self)
    else { return configuration }
    configuration = try load(file, overrides: overrides, earlier: earlier) { _ in }
    if let output { configuration.output = output }
    return configuration
  }

  /// - Parameter earlier: The configuration of a checkpoint that is gone on from, or used.
  static func load(
    _ file: URL, overrides: [String], earlier: Configuration?, note: (String) -> Void
  ) throws -> Configuration {
    // First, since another recipe's keys are unknown here.
    let said = try ConfigurationLoader.rootValue("recipe", file: file, overrides: overrides)
    if let said {
      try require(
        said == name, "\(file.path): recipe", found: said, expected: name,
        advice: "blip2-train train --config FILE trains whatever a file is of")
    }
    let first = try ConfigurationLoader.load(
      Configuration(), file: file, overrides: overrides, note: note)
    return try ConfigurationLoader.load(
      defaults(for: first, earlier: earlier), file: file, overrides: overrides)
  }

  /// The recipe with all keys, their meanings and their defaults.
  public static func reference() throws -> String {
    try KeyReference.yaml(
      of: Configuration(),
      head: "All keys of the recipe \(name) with their defaults. \(RecipeWords.paths)",
      open: openKeys)
  }

  /// The short recipe to begin from, with the meanings of its keys.
  public static func shortReference() throws -> String {
    try KeyReference.yaml(
      of: starter.configuration, like: Configuration(),
      head:
        "A recipe of \(name) to begin from: set its paths. What it leaves out keeps its default; "
        + "blip2-train recipe \(name) --all prints every key. \(RecipeWords.paths)",
      only: starter.keys)
  }
}

private enum RecipeWords {
  static let paths = "Paths are relative to the folder that blip2-train is called in."
}
