import ArgumentParser
import Configuration
import Foundation
import Training

/// `blip2-train language-model`.
struct LanguageModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "language-model",
    abstract: "Train a tiny language model from scratch on captions, as the demo's were made.",
    discussion: """
      Reads a YAML recipe, takes the tokenizer in its output folder, and writes config.json and \
      model.safetensors (float16) beside it: a Hugging Face folder of an OPT or a T5. For real work \
      take a public language model.

      Example:
        blip2-train language-model --config Configs/demo/opt.yaml
      """)

  @Option(help: "The recipe.", completion: .file())
  var config: String

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: "Set a key of the recipe, as in steps=100. May be repeated.")
  var overrides: [String] = []

  func run() throws {
    let configuration = try ConfigurationLoader.load(
      LanguageModelTrainingConfiguration(), file: URL(fileURLWithPath: config),
      overrides: overrides)
    StopRequest.listen()
    let training = try LanguageModelTraining(configuration)
    guard try training.run(report: { print($0) }) else {
      throw ExitCode(128 + (StopRequest.signal ?? SIGINT))
    }
    print("wrote \(configuration.output)")
  }
}
