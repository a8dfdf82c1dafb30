import BLIP2
import Foundation
import LanguageModels
import Tensors
import Tokenizers
import Training

/// Makes the texts that a language model is trained on and asked with, from captions and prompts.
struct LanguageModelTexts {
  let tokenizer: any LanguageTokenizer
  let assembly: TextAssembly
  /// The tokens that end a generation.
  let ends: [Int32]
  private let prefix: StageTwoObjective.Prefix
  private let prompt: String
  private let cleans: Bool

  /// - Throws: `RunError.noLineFeed` where the family ends texts with a line feed and the tokenizer
  ///   has no single token for it.
  init(
    _ languageModel: FrozenLanguageModel, objective: StageTwoObjective, data: DataConfiguration
  ) throws {
    let model = languageModel.model
    tokenizer = languageModel.tokenizer
    let end = try LanguageModelTexts.end(languageModel)
    ends = model.textEnd == .lineFeed ? [end] : [end] + model.tokens.furtherEnds
    assembly = TextAssembly(
      start: tokenizer.startId, end: end,
      hasEncoder: model.hasEncoder, maximumLength: data.maximumTextLength)
    let usual: StageTwoObjective.Prefix = model.hasEncoder ? .drawn : .none
    prefix = objective.prefix == .auto ? usual : objective.prefix
    prompt = objective.prompt
    cleans = data.cleanCaptions
  }

  private static func end(_ languageModel: FrozenLanguageModel) throws -> Int32 {
    guard languageModel.model.textEnd == .lineFeed else { return languageModel.model.tokens.end }
    let tokens = languageModel.tokenizer.encode("\n")
    guard tokens.count == 1 else {
      throw RunError.noLineFeed(path: languageModel.path, tokens: tokens.count)
    }
    return tokens[0]
  }

  /// A caption as the language model is trained on it.
  /// - Parameter random: Draws where the caption is cut, if it is.
  func text(_ caption: String, using random: inout RandomStream) -> ConditionedText {
    let caption = cleans ? CaptionText.cleaned(caption) : caption
    switch prefix {
    case .auto, .none:
      return assembly.text(tokenizer.encode(caption), given: 0)
    case .drawn:
      return assembly.drawnText(tokenizer.encode(caption), using: &random)
    case .prompt:
      let given = tokenizer.encode(prompt)
      if assembly.hasEncoder || prompt.isEmpty || caption.isEmpty {
        return assembly.text(given + tokenizer.encode(caption), given: given.count)
      }
      // Together, as they are read: a space belongs to the word after it.
      return assembly.text(tokenizer.encode("\(prompt) \(caption)"), given: given.count)
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
