import ArgumentParser
import Files
import Foundation
import Recipes
import Training

/// `blip2-train features`.
struct FeaturesCommand: ProfiledCommand, ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "features",
    abstract: "Compute the features of a frozen image encoder once, for runs to read.",
    discussion: """
      Reads a recipe and runs its image encoder over its training images, \
      vision.views times each (the whole image, then augmented ones), and over its held-out ones. The \
      features go to files in vision.cacheFolder, from which runs with vision.cache: true train in place of \
      the images. Such a run computes by itself what is missing.

      The checksums of features that are there already are verified; what is damaged is computed again. \
      Signals (see stage1 --help) leave with 128 + their number, and after these as after a sudden end the \
      same command goes on where it was. Exit codes: 0 all is there, 1 an error, 64 wrong usage.

      Examples:
        blip2-train features --config Configs/demo/stage1.yaml
        blip2-train features --config my.yaml --set vision.views=4 \\
          --output /data/features
      """)

  @OptionGroup var options: RecipeOptions

  @Option(help: "The folder of the files, in place of vision.cacheFolder.")
  var output: String?

  @Flag(help: "Write into a folder that holds other things than features.")
  var force = false

  @OptionGroup var result: ResultOptions

  @OptionGroup var profiling: ProfileOptions

  func work() throws {
    StopRequest.listen()
    try make(options.recipe())
  }

  private func make<R: ImageTextRecipe>(_ recipe: R.Type) throws {
    var configuration = try options.load(R.self)
    if let output { configuration.vision.cacheFolder = output }
    try OutputPath.checkFolder(configuration.vision.cacheFolder, force: force) { name in
      name.hasPrefix(".") || name.contains(".safetensors")
    }
    result.say(MachineReport.current().oneLine)
    let files: [FeaturePreparation.File]
    do {
      files = try FeaturePreparation(configuration, report: result.say).make()
    } catch let interruption as Interrupted {
      result.say(
        "stopped by \(StopRequest.name(of: interruption.signal)); the same command goes on where it "
          + "was")
      throw ExitCode(128 + interruption.signal)
    }
    let settings =
      options.overrides + (configuration.vision.cache ? [] : ["vision.cache=true"])
      + (output.map { ["vision.cacheFolder=\($0)"] } ?? [])
    try result.show(
      text: "all features are there"
        + (settings.isEmpty
          ? "" : "; a run reads them with " + settings.map { "--set \($0)" }.joined(separator: " "))
    ) { _ in Prepared(files: files, settings: settings) }
  }

  /// What `--json` prints.
  private struct Prepared: Encodable {
    let files: [FeaturePreparation.File]
    /// What a run is to be given by `--set` to read them.
    let settings: [String]
  }
}
