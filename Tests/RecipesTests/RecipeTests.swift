import Checkpointing
import Configuration
import Foundation
import TestSupport
import Testing

@testable import Recipes

/// Recipes as the command line takes them: which one a file is of, what is left open, what is printed.
@Suite struct RecipeTests {
  @Test func aFileSaysWhatItIsOf() throws {
    let run = try TinyRun(steps: 2)
    let trained = try BuiltTool.run(
      ["train", "--config", run.recipe.path, "--output", run.output("a")])
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(trained.output.contains("does not say what recipe it is: taken for stage1"))
    let named = try BuiltTool.run([
      "train", "--config", run.recipe.path, "--output", run.output("b"), "--set", "recipe=stage1",
    ])
    #expect(named.status == 0 && !named.output.contains("taken for"), "\(named.errors)")
    #expect(
      try TinyRun.difference(
        run.checkpoint("a", step: 2), run.checkpoint("b", step: 2), group: "/model") == "")
    let wrong = try BuiltTool.run([
      "stage2", "--config", run.recipe.path, "--set", "recipe=stage1",
    ])
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains("recipe: expected stage2, found stage1"), "\(wrong.errors)")
    let unknown = try BuiltTool.run([
      "train", "--config", run.recipe.path, "--set", "recipe=stage3",
    ])
    #expect(unknown.status == 1)
    #expect(
      unknown.errors.contains("recipe: expected stage1, stage2, language-model, found stage3"),
      "\(unknown.errors)")
    #expect(try BuiltTool.run(["train"]).status == 64)
  }

  /// A file for another command is named as such, before its keys are found unknown.
  @Test func aFileForAnotherCommandIsRefused() throws {
    let run = try TinyStageTwo(family: "opt")
    let unsaid = try BuiltTool.run(["stage1", "--config", run.recipe.path])
    #expect(unsaid.status == 1)
    #expect(
      unsaid.errors.contains(
        "recipe: expected stage1, found stage2, since its section stage1 is of stage2; it is for "
          + "blip2-train stage2"), "\(unsaid.errors)")
    let said = try BuiltTool.run(["stage2", "--config", "Configs/demo/opt.yaml"])
    #expect(said.status == 1)
    #expect(
      said.errors.contains(
        "recipe: expected stage2, found language-model; it is for blip2-train language-model"),
      "\(said.errors)")
  }

  /// A forgotten option trains nothing.
  @Test(arguments: ["stage1", "stage2", "language-model", "train"])
  func trainingWantsARecipe(_ command: String) throws {
    let result = try BuiltTool.run([command, "--max-steps", "1"])
    #expect(result.status == 64 && result.output.isEmpty)
    #expect(
      result.errors.contains(
        "--config: expected a recipe, found nothing; the demo's is Configs/demo/"))
  }

  @Test func recipesArePrinted() throws {
    let list = try BuiltTool.run(["recipe"])
    #expect(list.output == Recipes.all.map { $0.name + "\n" }.joined())
    for recipe in Recipes.all {
      let short = try BuiltTool.run(["recipe", recipe.name])
      #expect(short.status == 0 && short.output.contains("\nrecipe: \(recipe.name)\n"))
      let whole = try BuiltTool.run(["recipe", recipe.name, "--all"])
      let expected = try recipe.reference()
      #expect(whole.status == 0 && whole.output == expected)
    }
    #expect(try BuiltTool.run(["recipe", "stage9"]).status == 64)
  }

  /// Sizes that a recipe of stage 2 leaves open are stage 1's, also when the run goes on and stage 1 is gone.
  @Test func stageTwoTakesTheSizesOfStageOne() throws {
    let run = try TinyStageTwo(family: "opt")
    let text = try String(contentsOf: run.recipe, encoding: .utf8)
    let open = text.replacing(#/model:\n +qFormer: \{[^}]*\}\n/#, with: "")
    #expect(open != text)
    try open.write(to: run.recipe, atomically: true, encoding: .utf8)
    let stageOne = try run.stageOne(width: 16)
    let from = ["--set", "stage1.checkpoint=\(stageOne)"]
    let first = try BuiltTool.run(run.arguments("a", from + ["--max-steps", "5"]))
    #expect(first.status == 0, "\(first.errors)")
    let file = try CheckpointFile.open(fileOrFolder: run.output("a")) { _ in }
    let sizes = try file.configuration(of: StageTwoRecipe.self).model.qFormer
    let expected = try CheckpointFile.open(fileOrFolder: stageOne) { _ in }
      .configuration(of: StageOneRecipe.self).model.qFormer
    #expect(sizes == expected)

    try FileManager.default.removeItem(atPath: stageOne)
    let resumed = try BuiltTool.run(run.arguments("a", from + ["--resume", "--max-steps", "6"]))
    #expect(resumed.status == 0, "\(resumed.errors)")
    let said = try BuiltTool.run([
      "generate", "--checkpoint", run.output("a"), "--config", run.recipe.path, "--set",
      "stage1.checkpoint=\(stageOne)", "--image", run.images(1)[0],
    ])
    #expect(said.status == 0, "\(said.errors)")
    let anew = try BuiltTool.run(run.arguments("b", from))
    #expect(anew.status == 1 && anew.errors.contains("stage1.checkpoint"), "\(anew.errors)")
  }

  /// Its stage-1 checkpoint need not be there.
  @Test func dataCheckReadsAnyRecipe() throws {
    let run = try TinyStageTwo(family: "opt")
    let result = try BuiltTool.run([
      "data", "check", "--config", run.recipe.path, "--set", "stage1.checkpoint=/nowhere",
    ])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("tokens per caption"), "\(result.output)")
  }
}
