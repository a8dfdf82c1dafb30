import Foundation

/// Why a model cannot go out in the form that was asked for.
public enum ExportError: Error, Equatable {
  /// Hugging Face's BLIP-2 has no place for a part of it.
  case hasNoPlace(file: String, reason: String)
  /// A checkpoint of a recipe that trains no Q-Former.
  case wrongKind(file: String, found: String, expected: [String])
  /// A JSON file of a tokenizer that is none.
  case badTokenizer(file: String, problem: String)
}

extension ExportError: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .hasNoPlace(let file, let reason):
      "\(file): Hugging Face's BLIP-2 cannot hold this model: \(reason). Take --format lavis, or "
        + "--parts qformer for the trained part alone"
    case .wrongKind(let file, let found, let expected):
      "\(file): expected a checkpoint of \(expected.joined(separator: " or ")), found one of "
        + "\(found), which trains no Q-Former: there is nothing to export"
    case .badTokenizer(let file, let problem):
      "\(file): expected the JSON of a tokenizer: \(problem); name the tokenizer's folder by "
        + "--set llm.tokenizer=FOLDER"
    }
  }

  public var errorDescription: String? { description }
}
