import ArgumentParser
import Recipes

/// `blip2-train language-model`.
struct LanguageModelCommand: ProfiledCommand {
  static let configuration = CommandConfiguration(
    commandName: "language-model",
    abstract: "Train a tiny language model from scratch on captions, as the demo's were made.",
    discussion: """
      Reads a YAML recipe, takes the tokenizer in its folder, and in the end writes config.json and \
      model.safetensors (float16) beside it: a Hugging Face folder of an OPT or a T5. Checkpoints go to \
      the output folder, and --resume goes on from there. For real work take a public language model.

      Example:
        blip2-train language-model --config Configs/demo/opt.yaml
      """)

  @OptionGroup var options: TrainingOptions

  @OptionGroup var profiling: ProfileOptions

  func work() throws {
    try options.train(LanguageModelRecipe.self, options.file(demo: "Configs/demo/opt.yaml"))
  }
}
