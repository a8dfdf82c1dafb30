import Foundation
import WeightFiles

/// What can be wrong with an image encoder's folder, apart from its weights.
public enum VisionEncoderError: Error, Equatable {
  case badConfiguration(file: String, reason: String)
  case unknownFamily(file: String, found: String, known: [String])
}

extension VisionEncoderError: CustomStringConvertible, LocalizedError {
  public var description: String {
    switch self {
    case .badConfiguration(let file, let reason):
      return "\(file): \(reason)"
    case .unknownFamily(let file, let found, let known):
      return "\(file): model_type: expected one of \(known.joined(separator: ", ")), found \(found)"
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
    self.url = url
    let file: MappedFile
    do {
      file = try MappedFile(url)
    } catch {
      throw VisionEncoderError.badConfiguration(
        file: url.path,
        reason: "\(error.localizedDescription); expected a folder with config.json and weights")
    }
    guard file.withBytes({ $0.count }) <= VisionConfigurationFile.largestSize else {
      throw VisionEncoderError.badConfiguration(file: url.path, reason: "larger than 1 MiB")
    }
    guard case .outermostKeys = file.withBytes({ JSONOutline.scan($0, maximumDepth: 32) }) else {
      throw VisionEncoderError.badConfiguration(
        file: url.path, reason: "not a JSON object of at most 32 levels")
    }
    data = file.withBytes { Data($0) }
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
