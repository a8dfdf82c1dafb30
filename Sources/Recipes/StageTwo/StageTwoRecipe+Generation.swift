import BLIP2
import Checkpointing
import Configuration
import Foundation
import LanguageModels
import Tensors
import Training

extension StageTwoRecipe {
  /// What a person asks of images.
  public struct Question {
    /// The words to begin with; nil for those of the training.
    public var prompt: String?
    /// How the search goes; its end tokens are the language model's.
    public var options: GenerationOptions

    public init(prompt: String? = nil, options: GenerationOptions) {
      self.prompt = prompt
      self.options = options
    }
  }

}

extension LoadedRecipe where R == StageTwoRecipe {
  /// Describes images one batch after another.
  /// - Parameters:
  ///   - paths: Image files; one may come several times, with a prompt of its own each.
  ///   - prompts: The words to begin with, one for each path; nil for the question's.
  ///   - report: Is told of each image that is passed over.
  ///   - onPiece: Gets each piece of a text as it comes; one image is then described at a time, and
  ///     beams, whose beginnings change, have none.
  ///   - show: Gets each image's place among the paths and its texts as soon as they are there, in
  ///     order.
  /// - Returns: How many images were passed over.
  /// - Throws: `GenerationError` or `ConfigurationError` for options that cannot be used,
  ///   `RunError.noImages`, ``Interrupted``.
  public func describe(
    _ paths: [String], prompts: [String]? = nil, _ question: StageTwoRecipe.Question,
    report: @escaping (String) -> Void, onPiece: ((String) -> Void)? = nil,
    show: (_ place: Int, _ texts: [String]) throws -> Void
  ) throws -> Int {
    let beginnings =
      prompts.map { $0.map { recipe.texts.beginning($0) } }
      ?? Array(repeating: recipe.texts.beginning(question.prompt), count: paths.count)
    let generator = try generator(
      question.options, promptLength: beginnings.map(\.count).max() ?? 0)
    return try recipe.eachBatch(
      of: paths, atOnce: onPiece == nil ? question.options.promptsAtOnce : 1,
      showsProgress: onPiece == nil, report: report
    ) { places, features in
      var generator = generator
      var pieces: TextPieces?
      if let onPiece {
        let own = TextPieces(texts: recipe.texts, write: onPiece)
        generator.onToken = { _, _, token in own.add(token) }
        pieces = own
      }
      let texts = try recipe.generated(
        from: features, beginnings: places.map { beginnings[$0] }, generator, firstPrompt: places[0]
      )
      try StopRequest.check()
      pieces?.finish(texts.first?.first ?? "")
      for (place, texts) in zip(places, texts) { try show(place, texts) }
    }
  }

  /// The length penalty of the original's answers: 0 with decoders, −1 with T5.
  public var answerLengthPenalty: Float { recipe.languageModel.model.hasEncoder ? -1 : 0 }

  /// - Parameter promptLength: Tokens after the queries.
  func generator(_ options: GenerationOptions, promptLength: Int) throws -> TextGenerator {
    try recipe.checkPrompt(promptLength, field: "--prompt")
    try recipe.checkRoom(
      prompt: promptLength, new: options.maximumNewTokens, field: "--max-new-tokens")
    var options = options
    options.endIds = recipe.texts.ends
    var generator = try TextGenerator(options)
    generator.shouldStop = { StopRequest.signal != nil }
    return generator
  }
}

/// A text that grows token by token, handed on in pieces of whole characters.
private final class TextPieces {
  private let texts: CaptionPrompts
  private let write: (String) -> Void
  private var tokens: [Int32] = []
  private var written = ""

  init(texts: CaptionPrompts, write: @escaping (String) -> Void) {
    self.texts = texts
    self.write = write
  }

  func add(_ token: Int32) {
    tokens.append(token)
    let text = texts.text(tokens)
    // A token may end within a character, which the next one completes.
    if text.unicodeScalars.last != "\u{FFFD}" { finish(text) }
  }

  /// Writes what is still missing of a text. Scalars are compared: a mark that joins what is already
  /// written would change its last character.
  func finish(_ text: String) {
    guard text.unicodeScalars.starts(with: written.unicodeScalars) else { return }
    write(String(text.unicodeScalars.dropFirst(written.unicodeScalars.count)))
    written = text
  }
}
