import Configuration
import Foundation
import Training

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

  /// Refuses a file that is of another recipe than a command is for, before its keys are found unknown.
  /// - Throws: `ConfigurationError`.
  public static func check(
    _ file: URL, isOf recipe: any Recipe.Type, overrides: [String] = []
  ) throws {
    let (found, reason) = try of(file: file, overrides: overrides)
    // A file that does not say it, and has no section of its own, may be of any recipe.
    if found.name == recipe.name || reason != nil && found.ownSections.isEmpty { return }
    throw ConfigurationError.invalidValue(
      field: "\(file.path): recipe",
      found: found.name + (reason.map { ", since \($0)" } ?? ""), expected: recipe.name,
      advice: "it is for blip2-train \(found.name)")
  }
}
