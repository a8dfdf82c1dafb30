import ArgumentParser
import Foundation
import Recipes

/// `blip2-train train`.
struct TrainCommand: ProfiledCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train whatever a recipe says: stage1 and stage2 are names for this.",
    discussion: """
      The recipe says by its key `recipe` what it is of; blip2-train recipe lists what there is. Signals, \
      --resume and exit codes are those of stage1 (blip2-train stage1 --help).

      Example:
        blip2-train train --config Configs/demo/stage1.yaml
      """)

  @OptionGroup var options: TrainingOptions

  @OptionGroup var profiling: ProfileOptions

  func work() throws {
    let file = try options.file(demo: "Configs/demo/stage1.yaml")
    let (recipe, reason) = try Recipes.of(file: file, overrides: options.overrides)
    let remark = reason.map {
      "\(file.relativePath) does not say what recipe it is: taken for \(recipe.name), since \($0)"
    }
    try options.train(recipe, file, remark: remark)
  }
}
