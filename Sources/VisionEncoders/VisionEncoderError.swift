import Foundation

/// What is wrong with an image encoder's weights beyond what every weight file can have.
public struct VisionEncoderError: Error, Equatable {
  public let file: String
  /// The tensor that shows it.
  public let tensor: String
  /// What was expected and what was found.
  public let problem: String
  /// What to do, where that is known.
  public var remedy: String?
}

extension VisionEncoderError: CustomStringConvertible, LocalizedError {
  public var description: String {
    "tensor \(tensor): \(problem) in \(file)" + (remedy.map { "; \($0)" } ?? "")
  }

  public var errorDescription: String? { description }
}
