import BLIP2
import Datasets
import Foundation
import LanguageModels
import Tensors
import Tokenizers
import Training

/// Makes the texts that a language model is trained on and asked with, from captions and prompts.
struct CaptionPrompts {
  let tokenizer: any LanguageTokenizer
  let assembly: PromptTemplate
  /// The tokens that end a generation.
  let ends: [Int32]
  private let prefix: StageTwoObjective.Prefix
  private let prompt: String
  private let promptLength: Int
  private let cleans: Bool

  /// - Throws: `RunError.noLineFeed` where the family ends texts with a line feed and the tokenizer
  ///   has no single token for it.
  init(
    _ languageModel: FrozenLanguageModel, objective: StageTwoObjective, data: DataConfiguration
  ) throws {
    let model = languageModel.model
    tokenizer = languageModel.tokenizer
    let end = try CaptionPrompts.end(languageModel)
    ends = model.endsWithLineFeed ? [end] : [end] + model.tokens.furtherEnds
    assembly = PromptTemplate(
      start: tokenizer.startId, end: end,
      hasEncoder: model.hasEncoder, maximumLength: data.maximumTextLength)
    let usual: StageTwoObjective.Prefix = model.hasEncoder ? .drawn : .none
    prefix = objective.prefix == .auto ? usual : objective.prefix
    prompt = objective.prompt
    promptLength = tokenizer.encode(prompt).count
    cleans = data.cleanCaptions
  }

  private static func end(_ languageModel: FrozenLanguageModel) throws -> Int32 {
    guard languageModel.model.endsWithLineFeed else { return languageModel.model.tokens.end }
    let tokens = languageModel.tokenizer.encode("\n")
    guard tokens.count == 1 else {
      throw RunError.noLineFeed(path: languageModel.path, tokens: tokens.count)
    }
    return tokens[0]
  }

  /// What training makes of a caption.
  static func read(
    _ caption: String, _ tokenizer: any LanguageTokenizer, _ data: DataConfiguration
  ) -> CaptionTokens {
    let text = data.cleanCaptions ? CaptionText.cleaned(caption) : caption
    let ids = tokenizer.encode(text)
    let isBlank = text.allSatisfy(\.isWhitespace)
    // The end of the text, and the start where the family has one.
    let isCut =
      ids.count + (tokenizer.startId == nil ? 1 : 2) > data.maximumTextLength
      || data.cleanCaptions && CaptionText.isCut(caption)
    return CaptionTokens(
      count: ids.count,
      problem: ids.isEmpty || isBlank
        ? .empty
        : ids.allSatisfy { $0 == tokenizer.unknownId } ? .unknown : isCut ? .cut : nil)
  }

  /// The tokens of a caption, after those of the prompt where each text begins with it.
  func encode(_ caption: String) -> [Int32] {
    let caption = cleans ? CaptionText.cleaned(caption) : caption
    guard prefix == .prompt else { return tokenizer.encode(caption) }
    if assembly.hasEncoder || prompt.isEmpty || caption.isEmpty {
      return tokenizer.encode(prompt) + tokenizer.encode(caption)
    }
    // Together, as they are read: a space belongs to the word after it.
    return tokenizer.encode("\(prompt) \(caption)")
  }

  /// A caption's tokens as the language model is trained on them.
  /// - Parameter random: Draws where the caption is cut, if it is.
  func text(_ tokens: [Int32], using random: inout RandomStream) -> ConditionedText {
    switch prefix {
    case .auto, .none: assembly.text(tokens, given: 0)
    case .drawn: assembly.drawnText(tokens, using: &random)
    case .prompt: assembly.text(tokens, given: promptLength)
    }
  }

  /// What stands before a generated text.
  /// - Parameter prompt: The words to begin with; nil for those of the training.
  func beginning(_ prompt: String?) -> [Int32] {
    let usual = prefix == .prompt ? self.prompt : ""
    let words = prompt ?? usual
    return assembly.beginning(words.isEmpty ? [] : tokenizer.encode(words))
  }

  /// Generated tokens as text.
  func text(_ tokens: [Int32]) -> String {
    tokenizer.decode(tokens.filter { !ends.contains($0) }, skippingSpecialTokens: true)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

extension LanguageModel {
  /// Whether BLIP-2 ends its texts with a line feed (Li et al. 2023, §3.2), not with the end token: OPT's is
  /// its start token as well.
  var endsWithLineFeed: Bool { self is OPT }
}
