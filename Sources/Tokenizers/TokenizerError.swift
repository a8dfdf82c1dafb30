import Files
import Foundation

/// What can be wrong with a tokenizer's files.
public enum TokenizerError: Error, Equatable, Sendable {
  /// The file is of a kind that no tokenizer reads.
  case otherKind(file: String, FileKind)
  /// A token that the model needs is not in the file.
  case missingToken(file: String, token: String)
  /// Something in the file is not as the format has it; `place` is a path such as `model.merges[3]`,
  /// or a line, of which the first is 1.
  case damaged(file: String, place: String, expected: String, found: String)
  /// The file asks for something that this program does not do.
  case unsupported(file: String, feature: String)
  /// None of the files names the token of this role, such as the end of a text.
  case unnamedToken(file: String, role: String)
  /// The library that was to read the file refused it.
  case refused(file: String, reason: String)
  /// The folder holds no tokenizer.
  case noTokenizer(folder: String, expected: [String])
}

extension TokenizerError: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .otherKind(let file, let kind): return "\(file): is \(kind)"
    case .missingToken(let file, let token):
      return "\(file): expected the token \(token), found none; "
        + "check that the file belongs to the model"
    case .damaged(let file, let place, let expected, let found):
      return "\(file), \(place): expected \(expected), found \(found); fetch the file again"
    case .unsupported(let file, let feature):
      return "\(file): \(feature) is not supported; put the model's own tokenizer.model or "
        + "spiece.model beside it, or choose a model with another tokenizer"
    case .unnamedToken(let file, let role):
      return "\(file): expected the name or id of the \(role) token in it or in "
        + "tokenizer_config.json, special_tokens_map.json or config.json beside it, found none"
    case .refused(let file, let reason):
      return "\(file): refused by the sentencepiece library: \(reason); fetch the file again"
    case .noTokenizer(let folder, let expected):
      return "\(folder): expected \(expected.joined(separator: " or ")), found none of them"
    }
  }

  public var errorDescription: String? { description }
}

/// Something in a tokenizer's file that a message can name.
struct FilePlace {
  let file: String
  /// A path such as `model.merges[3]`, or a line, of which the first is 1.
  let place: String

  func damaged(_ expected: String, _ found: String) -> TokenizerError {
    .damaged(file: file, place: place, expected: expected, found: found)
  }
}
