import ArgumentParser
import Datasets
import Files
import Foundation
import LanguageModels
import Recipes
import Reporting
import Training

/// How tokens are drawn, where they are.
struct SamplingArguments: ParsableArguments {
  @Flag(help: "Draw tokens at random in place of searching.")
  var sample = false

  @Option(
    help: "With --sample: draw from the fewest tokens that together have this probability (0.9).")
  var topP: Float?

  @Option(help: "With --sample: below 1 likely tokens become likelier, above 1 the others (1).")
  var temperature: Float?

  @Option(help: "With --sample: decides the draws (0).")
  var seed: UInt64?

  func validate() throws {
    guard let sampling = options else {
      let given = [
        ("--top-p", topP != nil), ("--temperature", temperature != nil), ("--seed", seed != nil),
      ]
      if let option = given.first(where: \.1) {
        throw ValidationError("\(option.0) says how tokens are drawn: it goes with --sample")
      }
      return
    }
    var options = GenerationOptions(endIds: [])
    options.method = .sampling(sampling)
    try asUsage { try options.validate() }
  }

  /// Nil where a search is wanted.
  var options: GenerationOptions.Sampling? {
    sample ? .init(topP: topP ?? 0.9, temperature: temperature ?? 1, seed: seed ?? 0) : nil
  }

  /// - Throws: `ValidationError` where a search is asked for as well.
  func refuse(beams: Int?) throws {
    if sample, beams != nil {
      throw ValidationError("--beams asks for a search, --sample for draws: give one of them")
    }
  }
}

/// Options that generation refuses are wrong usage.
private func asUsage<Result>(_ body: () throws -> Result) throws -> Result {
  do { return try body() } catch let error as GenerationError { throw ValidationError("\(error)") }
}

/// How texts are generated.
struct GenerationArguments: ParsableArguments {
  @Option(help: "Beams of the search; 1 is greedy (default: 5).")
  var beams: Int?

  @OptionGroup var sampling: SamplingArguments

  @Option(help: "New tokens at most (default: 30; 10 for answers to questions).")
  var maxNewTokens: Int?

  @Option(help: "New tokens before which a text cannot end.")
  var minNewTokens = 1

  @Option(help: "More than 1 makes tokens that came before less likely.")
  var repetitionPenalty: Float = 1

  @Option(
    help: """
      The power of the length by which log-probabilities of beams are divided (default: 1; for answers \
      to questions 0, or -1 with T5).
      """)
  var lengthPenalty: Float?

  func validate() throws {
    try sampling.refuse(beams: beams)
    _ = try asUsage { try options() }
  }

  /// - Parameters:
  ///   - returned: Texts for each image.
  ///   - usual: What holds where the command line says nothing.
  /// - Throws: `GenerationError.invalidOption`.
  func options(
    returned: Int = 1, usual: (maxNewTokens: Int, lengthPenalty: Float) = (30, 1)
  ) throws -> GenerationOptions {
    var options = GenerationOptions(endIds: [])
    options.method =
      sampling.options.map { .sampling($0) } ?? (beams == 1 ? .greedy : .beams(beams ?? 5))
    options.maximumNewTokens = maxNewTokens ?? usual.maxNewTokens
    options.minimumNewTokens = minNewTokens
    options.repetitionPenalty = repetitionPenalty
    options.lengthPenalty = lengthPenalty ?? usual.lengthPenalty
    options.returned = returned
    try options.validate()
    return options
  }

  /// Whether a text is final from its first token on.
  var isSteady: Bool { sampling.sample || beams == 1 }
}

/// `blip2-train generate`.
struct GenerateCommand: ProfiledCommand, ResultCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate",
    abstract: "Generate texts about images with a stage-2 checkpoint: captions, answers.",
    discussion: """
      Prints a line for each image: its path, a tab, the text; with --captions N, N such lines; with \
      --json an object, {"image", "texts"}. On a terminal the words appear as they come where nothing can \
      change them any more (--beams 1 or --sample). An image that cannot be read is named on standard \
      error and passed over; the exit code is 1 only where none can be read.

      Examples:
        blip2-train generate --checkpoint Checkpoints/demo-stage2-opt \\
          --image cat.jpg dog.png
        blip2-train generate --checkpoint runs/b --image *.jpg \\
          --prompt "Question: what is it? Short answer:" \\
          --max-new-tokens 10 --length-penalty=-1
        blip2-train generate --checkpoint runs/b --image cat.jpg --sample \\
          --captions 5
      """)

  @OptionGroup var model: ModelOptions

  @Option(
    parsing: .upToNextOption, help: "Images: JPEG, PNG or WebP files, or folders of them.",
    completion: .file())
  var image: [String]

  @Option(help: "Words to begin with, or a question (default: those of the training).")
  var prompt: String?

  @OptionGroup var generation: GenerationArguments

  @Option(help: "Texts for each image.")
  var captions = 1

  @OptionGroup var result: ResultOptions

  func validate() throws { _ = try asUsage { try generation.options(returned: captions) } }

  @OptionGroup var profiling: ProfileOptions

  func work() throws {
    let image = try ImagePaths.files(self.image)
    StopRequest.listen()
    let checkpoint = try model.load(StageTwoRecipe.self)
    let streams = !result.json && generation.isSteady && captions == 1 && isatty(STDOUT_FILENO) == 1
    let question = StageTwoRecipe.Question(
      prompt: prompt, options: try generation.options(returned: captions))
    let skipped = try checkpoint.describe(
      image, question, report: StandardError.write, onPiece: streams ? Self.stream : nil
    ) { place, texts in
      let path = image[place]
      if streams {
        // After the text, since it was not known to be readable before.
        print("\t(\(path.withoutControlCharacters))")
      } else if result.json {
        StandardOutput.printJSON(
          try JSONLine.text(naming: [path]) { Line(image: $0[0], texts: texts) })
      } else {
        for text in texts {
          print("\(path.withoutControlCharacters)\t\(text.withoutControlCharacters)")
        }
      }
    }
    StandardError.write(skipped: skipped, of: image.count)
  }

  private struct Line: Encodable {
    let image: String
    let texts: [String]
  }

  /// A text on a terminal, word by word.
  private static func stream(_ piece: String) {
    print(piece.withoutControlCharacters, terminator: "")
    fflush(stdout)
  }
}
