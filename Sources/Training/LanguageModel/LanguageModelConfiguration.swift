import Foundation

/// Where the frozen language model comes from.
public struct LanguageModelConfiguration: Codable, Equatable, Sendable {
  /// The family that the recipe is for, as `--llm` names it; it stands for `{llm}` in `llm.path` and
  /// `output`. Null takes whatever the folder holds.
  @Nullable public var family: String?
  /// A Hugging Face folder (`config.json`, weights, tokenizer), or a GGUF file.
  @Nullable public var path: String?
  /// A folder with the tokenizer's files, where they do not lie with the weights.
  @Nullable public var tokenizer: String?

  /// Stands for the family's name in paths.
  static let placeholder = "{llm}"

  public init() {}

  /// The path with the family's name in it.
  func resolved(_ path: String) -> String {
    path.replacingOccurrences(of: LanguageModelConfiguration.placeholder, with: family ?? "llm")
  }
}
