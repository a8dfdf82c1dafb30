import Foundation

/// What can be wrong with a tokenizer's files.
public enum TokenizerError: Error, Equatable, Sendable {
  /// The system refused to read the file.
  case unreadable(file: String, reason: String)
  /// The file is larger than a vocabulary can be.
  case tooLarge(file: String, maximumByteCount: Int)
  /// A line of the file breaks the format; lines count from 1.
  case damagedLine(file: String, line: Int, expected: String, found: String)
  /// A token that the model needs is not in the file.
  case missingToken(file: String, token: String)
}

extension TokenizerError: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .unreadable(let file, let reason):
      return "\(file): cannot be read: \(reason)"
    case .tooLarge(let file, let maximumByteCount):
      return "\(file): expected a vocabulary of at most \(maximumByteCount) bytes, found a larger "
        + "file; check that the path is that of vocab.txt"
    case .damagedLine(let file, let line, let expected, let found):
      return "\(file), line \(line): expected \(expected), found \(found); fetch the file again"
    case .missingToken(let file, let token):
      return "\(file): expected the token \(token), found no such line; "
        + "check that the file is a BERT vocabulary"
    }
  }

  public var errorDescription: String? { description }
}
