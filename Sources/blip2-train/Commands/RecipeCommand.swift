import ArgumentParser
import Recipes

/// `blip2-train recipe`.
struct RecipeCommand: PrintingCommand {
  static let configuration = CommandConfiguration(
    commandName: "recipe",
    abstract: "Print a short recipe to begin from, or all keys of a recipe.",
    discussion: """
      What it prints is a recipe itself: YAML with a comment for each key, its meaning and its range. With \
      --all it has every key with its default. Without a name, it lists the recipes that there are.

      Examples:
        blip2-train recipe
        blip2-train recipe stage1 > my.yaml
        blip2-train recipe stage1 --all
      """)

  @Argument(help: "The recipe: stage1, stage2 or language-model.")
  var name: String?

  @Flag(help: "Print every key with its meaning, range and default.")
  var all = false

  func run() throws {
    guard let name else {
      for recipe in Recipes.all { print(recipe.name) }
      return
    }
    guard let recipe = Recipes.all.first(where: { $0.name == name }) else {
      throw ValidationError(
        "expected one of \(Recipes.all.map { $0.name }.joined(separator: ", ")), found \(name)")
    }
    print(try all ? recipe.reference() : recipe.shortReference(), terminator: "")
  }
}
