import ArgumentParser
import Files
import Foundation
import Recipes

/// `blip2-train import`.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Write a public BLIP-2's trained part as a checkpoint.",
    discussion: """
      Reads a Hugging Face folder (Blip2ForConditionalGeneration, Blip2Model, \
      Blip2ForImageTextRetrieval), or a file of the authors' (LAVIS; stage 1 or 2). Image encoder \
      and language model stay where they are: the checkpoint names them with their digests. The \
      same paths can be used as they are, by --checkpoint and by initialise.from.

      Examples:
        blip2-train import Weights/blip2-opt-2.7b --output runs/opt.h5
        blip2-train import blip2_pretrained.pth --output runs/stage1.h5 --set vision.path=eva_vit_g.pth
      """)

  @Argument(
    help: ArgumentHelp("A public model.", valueName: "path"), completion: .file())
  var path: String

  @Option(help: "The checkpoint to write: a name that ends in .h5.", completion: .file())
  var output: String

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: "Set a key of its recipe, as in vision.path=FOLDER. May be repeated.")
  var overrides: [String] = []

  @Flag(help: "Replace a file that is there already.")
  var force = false

  func validate() throws {
    guard FilePath.ending(of: output) == "h5" else {
      throw ValidationError("--output: expected a name that ends in .h5, found \(output)")
    }
  }

  func run() throws {
    try OutputPath.checkFile(output, force: force)
    try ModelImport.write(path, to: URL(fileURLWithPath: output), overrides: overrides) {
      print($0)
    }
    print("wrote \(output)")
  }
}
