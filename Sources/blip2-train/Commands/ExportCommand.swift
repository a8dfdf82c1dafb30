import ArgumentParser
import Files
import Foundation
import Recipes
import WeightFiles

/// `blip2-train export`.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Export a trained model for other programs.",
    subcommands: [ExportVisionCommand.self])
}

/// `blip2-train export vision`.
struct ExportVisionCommand: ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "vision",
    abstract: "Write an image encoder that a run trained as a public folder of its family.",
    discussion: """
      DINOv2, CLIP, or the vision model of a public BLIP-2: config.json, model.safetensors and \
      preprocessor_config.json, which other programs read, and other runs by vision.path.

      Example:
        blip2-train export vision --checkpoint runs/encoder \\
          --output my-encoder --float16
      """)

  @Option(help: "A checkpoint file, or a folder whose newest sound one is taken.")
  var checkpoint: String

  @Option(help: "The folder to write. It must not be there, or be empty.")
  var output: String

  @Flag(help: "Store the weights as float16 in place of float32.")
  var float16 = false

  @Flag(help: "Write into a folder that holds something already.")
  var force = false

  @OptionGroup var result: ResultOptions

  func run() throws {
    try OutputPath.checkFolder(output, force: force)
    try VisionExport.write(
      checkpoint: checkpoint, folder: URL(fileURLWithPath: output, isDirectory: true),
      precision: float16 ? .float16 : .float32, report: result.say)
    try result.show(naming: [checkpoint, output], text: "wrote \(output)") {
      ["checkpoint": $0[0], "output": $0[1]]
    }
  }
}
