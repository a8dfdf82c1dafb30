import ArgumentParser
import Recipes
import Tensors

extension BenchmarkVisionModel: ExpressibleByArgument {}

/// `blip2-train bench vision`.
struct BenchVisionCommand: ProfiledCommand, ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "vision",
    abstract: "Time a frozen image encoder's forward pass on images of 224 x 224.",
    discussion: """
      Random weights of the public shapes; nothing is kept for gradients. The first step is a \
      warm-up. The last line is: median S s/step, R images/s, peak G GiB.

      Example:
        blip2-train bench vision --model vit-g --batch 4 --precision bf16 \\
          --steps 5
        blip2-train bench vision --model vit-g --batch 4 --precision int8
      """)

  @Option(help: "The shape of the encoder.")
  var model = BenchmarkVisionModel.vitG

  @Option(help: "Images in a step.")
  var batch = 8

  @OptionGroup var options: BenchmarkOptions
  var result: ResultOptions { options.result }

  @OptionGroup var profiling: ProfileOptions

  func validate() throws { try ValidationError.check("--batch", batch, in: 1...4096) }

  func work() throws {
    var benchmark = VisionBenchmark()
    benchmark.shape = model
    benchmark.batch = batch
    benchmark.steps = options.steps
    benchmark.precision = options.precision
    try result.show(\.line) { benchmark.run(report: $0) }
  }
}
