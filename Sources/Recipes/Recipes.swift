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
}
