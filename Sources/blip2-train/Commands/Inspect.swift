import ArgumentParser
import Recipes
import Training

/// `blip2-train inspect`.
struct Inspect: PrintingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show what a checkpoint or a public model holds.",
    discussion: """
      The digest of the whole file is verified first: a damaged file is an error. Of a \
      run's folder, the newest checkpoint that is sound is shown. Of a public BLIP-2 (a Hugging Face \
      folder, a file of the authors'), the recipe is the one that it is used by.

      Examples:
        blip2-train inspect Checkpoints/demo-stage1
        blip2-train inspect Checkpoints/demo-stage1/step-00000040.h5 --parameters
        blip2-train inspect step-00000040.h5 --configuration > again.yaml
        blip2-train inspect step-00000040.h5 --json
      """)

  @Argument(
    help: ArgumentHelp(
      "A checkpoint, the folder of a run, or a public model.", valueName: "file"),
    completion: .file(extensions: ["h5"]))
  var path: String

  @Flag(help: "List every array with its shape.")
  var parameters = false

  @Flag(help: "Print the stored configuration, YAML, and nothing else.")
  var configuration = false

  @Flag(help: "Print one JSON object; --parameters and --configuration add to it.")
  var json = false

  func validate() throws {
    guard json || !(parameters && configuration) else {
      throw ValidationError("--parameters and --configuration go together with --json only.")
    }
  }

  func run() throws {
    let model = try TrainedModels.open(path) { StandardError.write("warning: \($0)") }
    let summary = CheckpointSummary(
      of: model, listsArrays: parameters, includesConfiguration: configuration)
    if json {
      try StandardOutput.printJSON(summary)
    } else if let text = summary.configuration {
      print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
    } else {
      print(summary.text)
    }
  }
}
