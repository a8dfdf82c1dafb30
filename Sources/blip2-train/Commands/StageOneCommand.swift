import ArgumentParser
import Recipes

/// `blip2-train stage1`.
struct StageOneCommand: ProfiledCommand {
  static let configuration = CommandConfiguration(
    commandName: "stage1",
    abstract: "Train a Q-Former on image-text pairs: contrast, matching and generation.",
    discussion: """
      Reads a YAML recipe, trains, validates by retrieval on held-out pairs, and writes \
      checkpoints (step-00000040.h5), metrics.jsonl and TensorBoard's event files (tensorboard/) to \
      the output folder.

      \(TrainingOptions.endings)

      Examples:
        blip2-train stage1 --config Configs/demo/stage1.yaml
        blip2-train stage1 --config my.yaml --set training.batchSize=32 \\
          --output runs/a
        blip2-train stage1 --config my.yaml --output runs/a --dry-run
        blip2-train stage1 --config my.yaml --output runs/a --resume
      """)

  @OptionGroup var options: TrainingOptions

  @OptionGroup var profiling: ProfileOptions

  func work() throws {
    try options.train(
      StageOneRecipe.self, options.file(demo: "Configs/demo/stage1.yaml"))
  }
}
