import ArgumentParser
import Files
import Foundation
import Recipes
import WeightFiles

/// `blip2-train export`.
struct ExportCommand: ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write what was trained for other programs.",
    discussion: """
      --format huggingface writes a folder that the transformers library reads: of a stage-2 run \
      Blip2ForConditionalGeneration with image encoder, language model and tokenizer, of a stage-1 run \
      Blip2ForImageTextRetrieval, each with its processor. --format lavis writes the trained part in the \
      authors' names: checkpoint.safetensors, and checkpoint.pth as torch.load reads it. README.md \
      says what the model was made from.

      --parts qformer writes the trained part alone; --parts vision an image encoder that a run trained, as \
      a public folder of its family.

      Examples:
        blip2-train export Checkpoints/demo-stage2-opt --format huggingface \\
          --output my-blip2
        blip2-train export runs/a --format lavis --output for-lavis
        blip2-train export runs/encoder --parts vision --dtype fp16 \\
          --output my-encoder
      """)

  @Argument(
    help: "A checkpoint file, a folder whose newest sound one is taken, or a public BLIP-2.",
    completion: .file())
  var checkpoint: String

  @Option(help: "Whose names and files: huggingface or lavis.")
  var format = ExportSettings.Format.huggingface

  @Option(help: "The folder to write. It must not be there, or be empty.")
  var output: String

  @Option(help: "How the weights are stored: fp32, bf16 or fp16.")
  var dtype = Precision.fp32

  @Option(help: "The size of a file of weights at most, such as 5GB or 500MB.")
  var maxShardSize = ShardSize(bytes: 5_000_000_000)

  @Option(help: "all, qformer or vision.")
  var parts = ExportSettings.Parts.all

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: "Set a key of the recipe, as in vision.path=FOLDER. May be repeated.")
  var overrides: [String] = []

  @Flag(help: "Write into a folder that holds something already.")
  var force = false

  @OptionGroup var result: ResultOptions

  func run() throws {
    try OutputPath.checkFolder(output, force: force)
    try ModelExport.write(
      checkpoint: checkpoint, overrides: overrides,
      settings: ExportSettings(
        format: format, parts: parts, precision: dtype.precision,
        maximumShardBytes: maxShardSize.bytes),
      to: URL(fileURLWithPath: output, isDirectory: true), report: StandardError.write)
    try result.show(naming: [checkpoint, output], text: "wrote \(output)") {
      ["checkpoint": $0[0], "output": $0[1]]
    }
  }

  /// A precision as recipes name it.
  enum Precision: String, CaseIterable, ExpressibleByArgument {
    case fp32, bf16, fp16

    var precision: WrittenTensor.Precision {
      switch self {
      case .fp32: .float32
      case .bf16: .bfloat16
      case .fp16: .float16
      }
    }
  }

  /// A number of bytes with its unit: 5GB are 5 · 10⁹, 5GiB 5 · 2³⁰.
  struct ShardSize: ExpressibleByArgument {
    let bytes: Int

    init(bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
      let digits = argument.prefix { $0.isASCII && $0.isNumber }
      let unit = argument.dropFirst(digits.count).trimmingCharacters(in: .whitespaces)
      let units = ["KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10]
        .merging(["MiB": 1 << 20, "GiB": 1 << 30, "": 1]) { $1 }
      guard let count = Int(digits), count > 0, let factor = units[unit] else { return nil }
      let (bytes, overflows) = count.multipliedReportingOverflow(by: factor)
      if overflows { return nil }
      self.bytes = bytes
    }

    var defaultValueDescription: String { "5GB" }
  }
}

extension ExportSettings.Format: ExpressibleByArgument {}
extension ExportSettings.Parts: ExpressibleByArgument {}
