import ArgumentParser
import Files
import Foundation
import Recipes
import Training

/// `blip2-train caption`.
struct CaptionCommand: ProfiledCommand {
  static let configuration = CommandConfiguration(
    commandName: "caption",
    abstract: "Caption images with a stage-1 checkpoint's own language head.",
    discussion: """
      Prints a line for each image: its path, a tab, the caption. An image that cannot be read is \
      named on standard error and passed over.

      Examples:
        blip2-train caption --checkpoint Checkpoints/demo-stage1 --image cat.jpg dog.png
        blip2-train caption --checkpoint runs/a/best.h5 --image *.jpg --beams 1 --json
      """)

  @OptionGroup var model: ModelOptions

  @Option(
    parsing: .upToNextOption, help: "Image files: JPEG, PNG or WebP.", completion: .file())
  var image: [String]

  @Option(help: "Beams of the search; 1 is greedy.")
  var beams = 3

  @Option(
    help:
      "Tokens before which a caption cannot end, [DEC] among them (default: 10, or --max-tokens).")
  var minTokens: Int?

  @Option(help: "Tokens at most, [DEC] and [SEP] among them.")
  var maxTokens = 30

  @OptionGroup var sampling: SamplingArguments

  @Flag(help: "Print a JSON object for each image.")
  var json = false

  func validate() throws {
    guard (1...64).contains(beams) else {
      throw ValidationError("--beams: expected 1 to 64, found \(beams)")
    }
    guard (2...65_536).contains(maxTokens) else {
      throw ValidationError("--max-tokens: expected 2 to 65536, found \(maxTokens)")
    }
    if let minTokens, !(0...maxTokens).contains(minTokens) {
      throw ValidationError(
        "--min-tokens: expected 0 to --max-tokens \(maxTokens), found \(minTokens)")
    }
  }

  @OptionGroup var profiling: ProfileOptions

  func work() throws {
    StopRequest.listen()
    let checkpoint = try model.load(StageOneRecipe.self)
    var options = CaptionOptions(
      beams: beams, minimumLength: minTokens ?? min(10, maxTokens), maximumLength: maxTokens)
    options.sampling = sampling.options
    let skipped = try Interruption.exiting {
      try checkpoint.caption(image, options: options, report: StandardError.write) {
        if json {
          StandardOutput.printJSON(try line($0, $1))
        } else {
          print("\($0.withoutControlCharacters)\t\($1.withoutControlCharacters)")
        }
      }
    }
    if skipped > 0 { StandardError.write("\(skipped) of \(image.count) images were skipped") }
  }

  private func line(_ path: String, _ caption: String) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try FileName.json([path]) { names in
      String(decoding: try encoder.encode(["image": names[0], "caption": caption]), as: UTF8.self)
    }
  }
}
