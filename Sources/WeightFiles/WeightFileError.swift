import Files
import Foundation

/// What can be wrong with a file of weights, or with writing one.
///
/// Every case names the file; those about one tensor name it too and say what was expected and found.
public enum WeightFileError: Error, Equatable, Sendable {
  /// The file is not of a format that this program reads, breaks it, or does not hold the weights of one
  /// model; or the folder has no such file.
  case unusable(file: String, expected: String, found: String, remedy: String? = nil)
  /// What the file says of one tensor breaks the format.
  case damagedTensor(file: String, tensor: String, expected: String, found: String)
  /// The tensor's elements are of a type this program does not read.
  case unsupportedElementType(file: String, tensor: String, found: String)
  /// The tensor was asked for as what it is not: as numbers of another kind, or as a matrix.
  case wrongKind(file: String, tensor: String, expected: String, found: String)
  /// A note of the file's metadata is not there (`found` is nil) or of another kind.
  case wrongMetadata(file: String, key: String, expected: String, found: String?)
  /// The file has no tensor of that name.
  case missingTensor(file: String, tensor: String)
  /// The tensor's shape is not that of the parameter it belongs to.
  case wrongShape(file: String, tensor: String, expected: [Int], found: [Int])
  /// A value does not fit the type it was to be written as.
  case valueOutOfRange(file: String, tensor: String, value: Float, elementType: ElementType)
  /// The system refused to write the file; nothing was left in its place.
  case unwritable(file: String, reason: String)
}

extension WeightFileError: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .unusable(let file, let expected, let found, let remedy):
      return "\(file): expected \(expected), found \(found)" + (remedy.map { "; \($0)" } ?? "")
    case .damagedTensor(let file, let tensor, let expected, let found):
      return "tensor \(tensor): expected \(expected), found \(found) in \(file); "
        + FormatProblem.damage
    case .unsupportedElementType(let file, let tensor, let found):
      let known = StoredForm.allNames.joined(separator: ", ")
      return "tensor \(tensor): expected an element type of \(known), found \(found) in \(file); "
        + "convert the file first"
    case .wrongKind(let file, let tensor, let expected, let found):
      return "tensor \(tensor): expected \(expected), found \(found) in \(file)"
    case .wrongMetadata(let file, let key, let expected, let found):
      return "metadata \(key): expected \(expected), found \(found ?? "none") in \(file)"
    case .missingTensor(let file, let tensor):
      return "tensor \(tensor): not in \(file); check that the file belongs to this model"
    case .wrongShape(let file, let tensor, let expected, let found):
      return "tensor \(tensor): expected \(expected), found \(found) in \(file)"
    case .valueOutOfRange(let file, let tensor, let value, let elementType):
      return "tensor \(tensor): the value \(value) does not fit \(elementType.rawValue), "
        + "so \(file) was not written; write it as F32"
    case .unwritable(let file, let reason):
      return "\(file): cannot be written: \(reason)"
    }
  }

  public var errorDescription: String? { description }
}

extension WeightFileError {
  /// Creates or replaces the file at `path` with what `body` writes; a failure leaves what was there.
  /// - Throws: `unwritable` for what the system refuses, and what `body` throws.
  static func replacing(_ path: String, with body: (OpenFile) throws -> Void) throws {
    do {
      try AtomicFile.replace(path, with: body)
    } catch let failure as SystemFailure {
      throw WeightFileError.unwritable(file: path, reason: failure.reason)
    }
  }
}
