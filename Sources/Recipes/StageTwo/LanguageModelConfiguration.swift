import Configuration
import Foundation

/// Where the frozen language model comes from.
public struct LanguageModelConfiguration: Codable, Equatable, Sendable {
  @Key(
    "The family that the recipe is for, as `--llm` names it; it stands for `{llm}` in "
      + "`llm.path` and `output`. Null takes whatever the folder holds.")
  public var family: String? = nil
  @Key(.input, "A Hugging Face folder (`config.json`, weights, tokenizer), or a GGUF file.")
  public var path: String? = nil
  @Key(.input, "A folder with the tokenizer's files, where they do not lie with the weights.")
  public var tokenizer: String? = nil

  /// Stands for the family's name in paths.
  static let placeholder = "{llm}"

  public init() {}

  /// The path with the family's name in it.
  func resolved(_ path: String) -> String {
    path.replacingOccurrences(of: LanguageModelConfiguration.placeholder, with: family ?? "llm")
  }

  /// `path` with the family's name in it.
  var weightsPath: String? { path.map(resolved) }

  /// `tokenizer` with the family's name in it.
  var tokenizerFolder: URL? { tokenizer.map { URL(fileURLWithPath: resolved($0)) } }

  /// Where the weights lie.
  /// - Throws: `ConfigurationError.invalidValue` where no path is given.
  func weights() throws -> String {
    guard let path = weightsPath else {
      throw ConfigurationError.invalidValue(
        field: "llm.path", found: "null",
        expected: "the folder of a language model (OPT, T5 or Llama), or a GGUF file",
        advice: "name it in the recipe or by --set llm.path=FOLDER")
    }
    return path
  }
}
