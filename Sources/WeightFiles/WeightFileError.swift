import Foundation

/// What can be wrong with a file of weights, or with writing one.
///
/// Every case names the file; those about one tensor name it too and say what was expected and found.
public enum WeightFileError: Error, Equatable, Sendable {
  /// The folder holds none of the files that weights can be read from.
  case noWeights(folder: String, expected: [String])
  /// The file is of a format, or a form of one, that this program does not read.
  case unsupportedFormat(file: String, found: String, remedy: String)
  /// The file's pickle asks for a class or function that no tensor needs.
  case forbiddenContent(file: String, name: String)
  /// The file's outermost value holds no tensors by name.
  case noTensors(file: String, found: String)
  /// Several dictionaries of tensors, and none of a name that tells which holds the weights.
  case severalModels(file: String, members: [String])
  /// The file's header, its directory or pickle, or an index of shards breaks the format.
  case damagedHeader(file: String, expected: String, found: String)
  /// The header's entry for one tensor breaks the format.
  case damagedTensor(file: String, tensor: String, expected: String, found: String)
  /// The tensor's elements are of a type this program does not read.
  case unsupportedElementType(file: String, tensor: String, found: String)
  /// The tensor was asked for as numbers of another kind than it holds.
  case wrongElementType(file: String, tensor: String, expected: [String], found: String)
  /// The tensor was asked for as a matrix, and is none or is empty.
  case notAMatrix(file: String, tensor: String, found: [Int])
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
    case .noWeights(let folder, let expected):
      return "\(folder): expected one of \(expected.joined(separator: ", ")), found none of them"
    case .unsupportedFormat(let file, let found, let remedy):
      return "\(file): expected safetensors, a zip file of torch.save or GGUF, found \(found); "
        + remedy
    case .forbiddenContent(let file, let name):
      return "\(file): expected tensors and plain values, found \(name), which could run anything; "
        + "nothing was run. If you trust the file, save its model's state_dict() alone, or as "
        + "safetensors"
    case .noTensors(let file, let found):
      return "\(file): expected a dictionary of tensors, found \(found); save the model's "
        + "state_dict()"
    case .severalModels(let file, let members):
      return "\(file): expected one dictionary of tensors, found "
        + "\(members.prefix(8).joined(separator: ", ")); save the one that is wanted by itself"
    case .damagedHeader(let file, let expected, let found):
      return "\(file): expected \(expected), found \(found); the file is damaged, fetch it again"
    case .damagedTensor(let file, let tensor, let expected, let found):
      return "tensor \(tensor): expected \(expected), found \(found) in \(file); "
        + "the file is damaged, fetch it again"
    case .unsupportedElementType(let file, let tensor, let found):
      let known = StoredForm.allNames.joined(separator: ", ")
      return "tensor \(tensor): expected an element type of \(known), found \(found) in \(file); "
        + "convert the file first"
    case .wrongElementType(let file, let tensor, let expected, let found):
      let wanted = expected.joined(separator: ", ")
      return "tensor \(tensor): expected an element type of \(wanted), found \(found) in \(file)"
    case .notAMatrix(let file, let tensor, let found):
      return "tensor \(tensor): expected a matrix with values, found \(found) in \(file)"
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
