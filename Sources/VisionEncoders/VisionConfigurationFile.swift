import Foundation
import WeightFiles

/// What can be wrong with an image encoder's folder, apart from its weights.
public enum VisionEncoderError: Error, Equatable {
  case badConfiguration(file: String, reason: String)
  case unknownFamily(file: String, found: String, known: [String])
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
    case .badConfiguration(let file, let reason):
      return "\(file): \(reason)"
    case .unknownFamily(let file, let found, let known):
      return "\(file): model_type: expected one of \(known.joined(separator: ", ")), found \(found)"
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

/// A JSON file of an image encoder's folder, read within bounds.
struct VisionConfigurationFile {
  let url: URL
  private let data: Data

  /// Configuration files are a few kilobytes; anything much larger is something else.
  private static let largestSize = 1 << 20

  init(_ url: URL) throws {
    let file: MappedFile
    do {
      file = try MappedFile(url)
    } catch {
      throw VisionEncoderError.badConfiguration(
        file: url.path,
        reason: "\(error.localizedDescription); expected a folder with config.json and weights")
    }
    self.url = url
    data = try file.withBytes { try VisionConfigurationFile.checked($0, of: url) }
  }

  /// A configuration that lies within another file, such as a file of weights.
  init(text: String, within url: URL) throws {
    self.url = url
    data = try Data(text.utf8).withUnsafeBytes {
      try VisionConfigurationFile.checked($0, of: url)
    }
  }

  private static func checked(_ bytes: UnsafeRawBufferPointer, of url: URL) throws -> Data {
    guard bytes.count <= largestSize else {
      throw VisionEncoderError.badConfiguration(file: url.path, reason: "larger than 1 MiB")
    }
    guard case .outermostKeys = JSONOutline.scan(bytes, maximumDepth: 32) else {
      throw VisionEncoderError.badConfiguration(
        file: url.path, reason: "not a JSON object of at most 32 levels")
    }
    return Data(bytes)
  }

  /// The `model_type`.
  func modelType() throws -> String { try decoded(ModelType.self).modelType }

  private struct ModelType: Decodable {
    let modelType: String

    enum CodingKeys: String, CodingKey { case modelType = "model_type" }
  }

  /// What the file says of the image encoder: its `vision_config` if it is that of a whole model.
  func visionSection<Value: Decodable>(
    _ type: Value.Type, ofWholeModel modelType: String
  ) throws -> Value {
    try self.modelType() == modelType
      ? decoded(WholeModel<Value>.self).vision : decoded(type)
  }

  private struct WholeModel<Vision: Decodable>: Decodable {
    let vision: Vision

    enum CodingKeys: String, CodingKey { case vision = "vision_config" }
  }

  func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch DecodingError.keyNotFound(let key, _) {
      throw VisionEncoderError.badConfiguration(
        file: url.path, reason: "\(key.stringValue): missing")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context)
    {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw VisionEncoderError.badConfiguration(
        file: url.path, reason: "\(path): \(context.debugDescription)")
    } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
      // Such as a number that its type cannot hold.
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw VisionEncoderError.badConfiguration(
        file: url.path, reason: "\(path): \(context.debugDescription)")
    } catch {
      throw VisionEncoderError.badConfiguration(file: url.path, reason: "not a JSON object")
    }
  }
}
