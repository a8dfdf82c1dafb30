import ArgumentParser
import Recipes

/// `blip2-train stage2`.
struct StageTwoCommand: ProfiledCommand {
  static let configuration = CommandConfiguration(
    commandName: "stage2",
    abstract: "Train a stage-1 Q-Former to feed images to a frozen language model.",
    discussion: """
      Reads a YAML recipe, takes the Q-Former of stage1.checkpoint (a file, or a run's folder), puts \
      its projected outputs before the texts of a frozen OPT, T5 or Llama, and trains it by the \
      language model's loss. Validation captions held-out images and scores them by BLEU-4, ROUGE-L \
      and CIDEr. Checkpoints, metrics.jsonl and TensorBoard's event files go to the output folder.

      --llm chooses the family that the recipe is for: it stands for {llm} in the recipe's paths, and \
      is checked against the language model's own config.json. Other weights are named by \
      --set llm.path=FOLDER (a Hugging Face folder) or --set llm.path=FILE.gguf.

      \(TrainingOptions.endings)

      Examples:
        blip2-train stage2 --llm opt --config Configs/demo/stage2.yaml
        blip2-train stage2 --llm t5 --config my.yaml \\
          --set llm.path=models/flan-t5-xl
        blip2-train stage2 --llm opt --config my.yaml \\
          --set stage1.checkpoint=runs/stage1 --resume
      """)

  /// The families of language models, as their folders' `config.json` names them.
  enum Family: String, ExpressibleByArgument, CaseIterable {
    case opt, t5, llama
  }

  @Option(help: "The family of the language model (default: the recipe's).")
  var llm: Family?

  @OptionGroup var options: TrainingOptions

  @OptionGroup var profiling: ProfileOptions

  func work() throws {
    try options.train(
      StageTwoRecipe.self, options.file(demo: "Configs/demo/stage2.yaml"),
      settings: llm.map { ["llm.family=\($0.rawValue)"] } ?? [])
  }
}
