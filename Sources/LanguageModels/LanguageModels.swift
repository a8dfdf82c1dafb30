import Foundation
import WeightFiles

/// The families of language models that are read.
public enum LanguageModelFamily {
  /// A new family adds a folder and a line here.
  private static let families: [any LanguageModel.Type] = [
    Llama.self,
    OPT.self,
    T5.self,
  ]

  /// Reads the language model of a folder, or of a GGUF file, whichever family it is of.
  /// - Throws: `ModelConfigurationError` or `WeightFileError`.
  public static func model(at url: URL) throws -> any LanguageModel {
    try model(LanguageModelSource(url))
  }

  /// Reads the language model of a source that was opened before.
  /// - Throws: `ModelConfigurationError` or `WeightFileError`.
  public static func model(_ source: LanguageModelSource) throws -> any LanguageModel {
    let name = source.modelType
    guard let family = families.first(where: { $0.modelTypes.contains(name) }) else {
      throw ModelConfigurationError.unknownFamily(
        file: source.configurationFile, found: name,
        known: families.flatMap { $0.modelTypes }.sorted())
    }
    return try family.init(source)
  }
}
