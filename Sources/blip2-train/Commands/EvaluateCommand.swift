import ArgumentParser
import Foundation
import Recipes
import Training

/// `blip2-train evaluate`.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Evaluate a model: retrieval, captions, answers to questions.",
    subcommands: [
      EvaluateRetrievalCommand.self, EvaluateCaptionCommand.self, EvaluateQuestionsCommand.self,
    ])
}

/// `blip2-train evaluate retrieval`.
struct EvaluateRetrievalCommand: ProfiledCommand, ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "retrieval",
    abstract: "Find texts by images and images by texts on held-out pairs: R@1, R@5, R@10.",
    discussion: """
      Ranks by cosine (the maximum over the queries), then ranks the nearest again by the \
      matching head. The recipe stored in the checkpoint is used; --config takes another, and \
      --set changes keys, such as data.validation.path or validation.rerank.

      Example:
        blip2-train evaluate retrieval --checkpoint Checkpoints/demo-stage1
      """)

  @OptionGroup var model: ModelOptions

  @OptionGroup var output: JudgementOutput
  var result: ResultOptions { output.result }

  @OptionGroup var profiling: ProfileOptions

  func work() throws {
    StopRequest.listen()
    try output.check()
    let loaded = try model.load(StageOneRecipe.self, reading: [.validation])
    let scores = try loaded.retrieval()
    try output.write(text: scores.text, json: try scores.json, answers: scores.rankings)
  }
}
