import Foundation

/// What can be wrong with an image encoder's weights beyond what every weight file can have.
public enum VisionEncoderError: Error, Equatable {
  /// A tensor from which a size is read has a shape that gives none.
  case unexpectedShape(file: String, tensor: String, expected: String, found: [Int])
  /// A tensor shows that a file is of a kind of its family that is not read.
  case unsupportedVariant(file: String, tensor: String, variant: String)
  /// A tensor shows that a file's names are those of another project.
  case otherNames(file: String, tensor: String, found: String, remedy: String)
}

extension VisionEncoderError: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .unexpectedShape(let file, let tensor, let expected, let found):
      return "tensor \(tensor): expected \(expected), found \(found) in \(file)"
    case .unsupportedVariant(let file, let tensor, let variant):
      return "tensor \(tensor): \(variant) is not supported, found in \(file)"
    case .otherNames(let file, let tensor, let found, let remedy):
      return "tensor \(tensor): expected the names of EVA's authors, found those of \(found) in "
        + "\(file); \(remedy)"
    }
  }

  public var errorDescription: String? { description }
}
