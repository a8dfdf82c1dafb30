import ArgumentParser
import Recipes
import Tensors

extension ProductPrecision: ExpressibleByArgument {}

/// `blip2-train bench`.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Time this program's work on random numbers of real sizes.",
    subcommands: [
      BenchStageOneCommand.self, BenchStageTwoCommand.self, BenchGenerateCommand.self,
      BenchVisionCommand.self, BenchImagesCommand.self,
    ])
}

/// What all benchmarks of products have in common.
struct BenchmarkOptions: ParsableArguments {
  @OptionGroup var result: ResultOptions

  @Option(help: "The precision of the linear maps' products; sums are float32.")
  var precision = ProductPrecision.float32

  @Option(help: "Steps that are counted; the first one before them is a warm-up.")
  var steps = 5

  func validate() throws { try ValidationError.check("--steps", steps, in: 1...1_000_000) }

  /// Refuses the precision that is for frozen image encoders alone.
  func checkTrains() throws {
    if precision == .int8 {
      throw ValidationError(
        "--precision: expected fp32 or bf16, found int8: bench vision alone takes it")
    }
  }
}

/// `blip2-train bench stage1`.
struct BenchStageOneCommand: ProfiledCommand, ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "stage1",
    abstract: "Time stage-1 steps: forward, backward and AdamW on image features.",
    discussion: """
      A BERT-base Q-Former on features of 257 x 1408, captions of about 12 tokens, dropout on. \
      The first step is a warm-up. The last line is: median S s/step, R samples/s, peak G GiB.

      Example:
        blip2-train bench stage1 --batch 16 --precision fp32 --steps 5
      """)

  @Option(help: "Pairs in a step.")
  var batch = 16

  @Option(help: "Pairs that go through the Q-Former at once; losses and gradients stay the same.")
  var chunk: Int?

  @Flag(help: "Computes the inside of the Q-Former's layers again in place of keeping it.")
  var recompute = false

  @OptionGroup var options: BenchmarkOptions
  var result: ResultOptions { options.result }

  @Option(help: "Feature vectors of an image.")
  var imageTokens = 257

  @Option(help: "Tokens of the longest caption.")
  var text = 32

  @Option(help: "The mean number of tokens of a caption.")
  var meanText = 12.0

  @Flag(help: "MiniLM's sizes: 6 layers, width 384, features of width 384.")
  var small = false

  func validate() throws {
    try options.checkTrains()
    try ValidationError.check("--batch", batch, in: 2...65_536)
    try ValidationError.check("--chunk", chunk, in: 1...batch)
    try ValidationError.check("--image-tokens", imageTokens, in: 1...65_536)
    try ValidationError.check("--text", text, in: 5...512)
    guard (5...Double(text)).contains(meanText) else {
      throw ValidationError("--mean-text: expected 5 to \(text), found \(meanText)")
    }
  }

  @OptionGroup var profiling: ProfileOptions

  func work() throws {
    var benchmark = StageOneBenchmark()
    benchmark.batch = batch
    benchmark.chunk = chunk
    benchmark.recomputes = recompute
    benchmark.steps = options.steps
    benchmark.imageTokens = imageTokens
    benchmark.maximumTextLength = text
    benchmark.meanTextLength = meanText
    benchmark.isSmall = small
    benchmark.precision = options.precision
    try result.show(\.line) { benchmark.run(report: $0) }
  }
}
