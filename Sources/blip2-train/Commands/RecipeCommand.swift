import ArgumentParser
import Recipes

/// `blip2-train recipe`.
struct RecipeCommand: PrintingCommand {
  static let configuration = CommandConfiguration(
    commandName: "recipe",
    abstract: "Print all keys of a recipe with their meanings, ranges and defaults.",
    discussion: """
      What it prints is a recipe itself: YAML with a comment for each key. Without a name, it lists the \
      recipes that there are.

      Examples:
        blip2-train recipe
        blip2-train recipe stage1 > my.yaml
      """)

  @Argument(help: "The recipe: stage1, stage2 or language-model.")
  var name: String?

  func run() throws {
    guard let name else {
      for recipe in Recipes.all { print(recipe.name) }
      return
    }
    guard let recipe = Recipes.all.first(where: { $0.name == name }) else {
      throw ValidationError(
        "expected one of \(Recipes.all.map { $0.name }.joined(separator: ", ")), found \(name)")
    }
    print(try recipe.reference(), terminator: "")
  }
}
