import ArgumentParser
import Foundation
import Recipes
import Training

/// The options by which commands name a trained model.
struct ModelOptions: ParsableArguments {
  @Option(
    help: """
      A checkpoint file, or a folder whose newest sound one is taken; FOLDER/best is the best by \
      validation. Or a public BLIP-2: a Hugging Face folder, or a file of the authors'.
      """)
  var checkpoint: String

  @Option(help: "A recipe in place of the one stored in the checkpoint.")
  var config: String?

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: "Set a key of the recipe, as in vision.path=FOLDER. May be repeated.")
  var overrides: [String] = []

  /// The model with all that it was trained with.
  /// - Parameter parts: Which of the recipe's data sets are wanted.
  func load<R: Recipe>(
    _ recipe: R.Type, reading parts: Set<DataPart> = []
  ) throws -> LoadedRecipe<R> {
    try LoadedRecipe(
      checkpoint, configuration: config, overrides: overrides, reading: parts,
      report: StandardError.write)
  }
}

/// The options by which commands name a recipe that reads images.
struct RecipeOptions: ParsableArguments {
  @Option(help: "The recipe.", completion: .file())
  var config: String

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: "Set a key of the recipe, as in data.train.path=mine.jsonl. May be repeated.")
  var overrides: [String] = []

  /// What recipe it is.
  /// - Throws: `Failure` for one that reads no images, `ConfigurationError`.
  func recipe() throws -> any ImageTextRecipe.Type {
    let recipe = try Recipes.of(file: URL(fileURLWithPath: config), overrides: overrides).recipe
    guard let recipe = recipe as? any ImageTextRecipe.Type else {
      throw Failure("\(config): a recipe of \(recipe.name) reads no images: there is nothing to do")
    }
    return recipe
  }

  func load<R: Recipe>(_ recipe: R.Type) throws -> R.Configuration {
    try R.load(URL(fileURLWithPath: config), overrides: overrides, note: StandardError.write)
  }
}
