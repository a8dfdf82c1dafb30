import Foundation

/// What can be wrong with the configuration of a model's folder.
public enum ModelConfigurationError: Error, Equatable {
  case bad(file: String, reason: String)
  case unknownFamily(file: String, found: String, known: [String])
}

extension ModelConfigurationError: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .bad(let file, let reason):
      return "\(file): \(reason)"
    case .unknownFamily(let file, let found, let known):
      return "\(file): model_type: expected one of \(known.joined(separator: ", ")), found \(found)"
    }
  }

  public var errorDescription: String? { description }
}
