import Checkpointing
import Configuration
import Foundation

/// All recipes. A new one is a folder beside the others and a line here.
public enum Recipes {
  public static let all: [any Recipe.Type] = [
    StageOneRecipe.self, StageTwoRecipe.self, LanguageModelRecipe.self,
  ]

  /// - Throws: `ConfigurationError` where there is none of the name.
  public static func named(_ name: String, field: String = "recipe") throws -> any Recipe.Type {
    guard let recipe = all.first(where: { $0.name == name }) else {
      throw ConfigurationError.invalidValue(
        field: field, found: name, expected: all.map { $0.name }.joined(separator: ", "),
        advice: "")
    }
    return recipe
  }

  /// The recipe that a file is of: what its key `recipe` says, or else what its sections tell.
  /// - Returns: With the reason in words where the file does not say it.
  /// - Throws: `ConfigurationError`.
  public static func of(
    file: URL, overrides: [String] = []
  ) throws -> (recipe: any Recipe.Type, reason: String?) {
    let sections = try ConfigurationLoader.sections(ofFile: file)
    if let name = try ConfigurationLoader.rootValue("recipe", file: file, overrides: overrides) {
      return (try named(name, field: "\(file.path): recipe"), nil)
    }
    for recipe in all {
      if let own = sections.first(where: recipe.ownSections.contains) {
        return (recipe, "its section \(own) is of \(recipe.name)")
      }
    }
    return (StageOneRecipe.self, "it has no section of another recipe than stage1")
  }
}

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
    if let said, said != name {
      throw ConfigurationError.invalidValue(
        field: "\(file.path): recipe", found: said, expected: name,
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
      head: [
        "All keys of the recipe \(name) with their defaults. Paths are relative to the folder that",
        "blip2-train is called in.",
      ], open: openKeys)
  }
}
