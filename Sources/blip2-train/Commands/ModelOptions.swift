import ArgumentParser
import Foundation
import Recipes
import Training

/// The options by which commands name a trained model.
struct ModelOptions: ParsableArguments {
  @Option(help: "A checkpoint file, or a folder whose newest sound one is taken.")
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

/// The recipe of a file, where it is one that reads images.
/// - Throws: `ConfigurationError` for another.
func imageTextRecipe(ofFile path: String, _ overrides: [String]) throws -> any ImageTextRecipe.Type
{
  let recipe = try Recipes.of(file: URL(fileURLWithPath: path), overrides: overrides).recipe
  guard let recipe = recipe as? any ImageTextRecipe.Type else {
    throw Failure("\(path): a recipe of \(recipe.name) reads no images: there is nothing to do")
  }
  return recipe
}

/// Work that a signal may end before it has anything to save.
enum Interruption {
  /// - Throws: An exit code of 128 and the signal's number in place of `Interrupted`.
  static func exiting<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let interruption as Interrupted {
      throw ExitCode(128 + interruption.signal)
    }
  }
}
