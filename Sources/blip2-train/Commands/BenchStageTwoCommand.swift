import ArgumentParser
import Recipes
import Tensors

/// What the benchmarks of stage 2 have in common.
struct StageTwoBenchmarkOptions: ParsableArguments {
  @Option(help: "The shape of the language model.")
  var llm = BenchmarkLanguageModel.opt125m

  @OptionGroup var common: BenchmarkOptions

  func validate() throws { try common.checkTrains() }

  func benchmark(batch: Int) -> StageTwoBenchmark {
    var benchmark = StageTwoBenchmark()
    benchmark.shape = llm
    benchmark.batch = batch
    benchmark.steps = common.steps
    benchmark.precision = common.precision
    return benchmark
  }
}

extension BenchmarkLanguageModel: ExpressibleByArgument {}

/// `blip2-train bench stage2`.
struct BenchStageTwoCommand: ProfiledCommand, ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "stage2",
    abstract: "Time stage-2 steps: forward through a frozen language model, backward and AdamW.",
    discussion: """
      A BERT-base Q-Former with 32 queries on features of 257 x 1408, captions of about 12 tokens, \
      dropout on. The last line is: median S s/step, R samples/s, peak G GiB.

      Example:
        blip2-train bench stage2 --llm opt-125m --batch 16 --precision fp32 \\
          --steps 5
      """)

  @OptionGroup var options: StageTwoBenchmarkOptions
  var result: ResultOptions { options.common.result }

  @Option(help: "Pairs in a step.")
  var batch = 16

  @Option(help: "Feature vectors of an image.")
  var imageTokens = 257

  @Flag(help: "Computes the inside of the Q-Former's layers again in place of keeping it.")
  var recompute = false

  @OptionGroup var profiling: ProfileOptions

  func validate() throws {
    try ValidationError.check("--batch", batch, in: 1...65_536)
    try ValidationError.check("--image-tokens", imageTokens, in: 1...65_536)
  }

  func work() throws {
    var benchmark = options.benchmark(batch: batch)
    benchmark.imageTokens = imageTokens
    benchmark.recomputes = recompute
    try result.show(\.line) { benchmark.train(report: $0) }
  }
}

/// `blip2-train bench generate`.
struct BenchGenerateCommand: ProfiledCommand, ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Time greedy generation after an image's soft prompt.",
    discussion: """
      The last line is: median S s/step, R tokens/s, peak G GiB; a step is all tokens of all images.

      Example:
        blip2-train bench generate --llm opt-125m --batch 1 --tokens 30 \\
          --precision bf16
      """)

  @OptionGroup var options: StageTwoBenchmarkOptions
  var result: ResultOptions { options.common.result }

  @Option(help: "Images at once.")
  var batch = 1

  @Option(help: "New tokens of each image.")
  var tokens = 30

  @OptionGroup var profiling: ProfileOptions

  func validate() throws {
    try ValidationError.check("--batch", batch, in: 1...65_536)
    try ValidationError.check("--tokens", tokens, in: 1...1024)
  }

  func work() throws {
    let benchmark = options.benchmark(batch: batch)
    try result.show(\.line) { try benchmark.generate(tokens: tokens, report: $0) }
  }
}
