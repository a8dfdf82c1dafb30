import Files
import Foundation

/// A JSON file of a model's folder, read within bounds.
public struct ModelConfigurationFile: Sendable {
  public let url: URL
  private let data: Data

  /// Configuration files are a few kilobytes; anything much larger is something else.
  private static let largestSize = 1 << 20

  /// - Throws: `ModelConfigurationError.bad`.
  public init(_ url: URL) throws {
    let file: MappedFile
    do {
      file = try MappedFile(url.path)
    } catch {
      throw ModelConfigurationError.bad(
        file: url.path,
        reason: "\(error.localizedDescription); expected a folder with config.json and weights")
    }
    self.url = url
    data = try file.withBytes { try ModelConfigurationFile.checked($0, of: url) }
  }

  /// A configuration that lies within another file, such as a file of weights.
  public init(text: String, within url: URL) throws {
    self.url = url
    data = try Data(text.utf8).withUnsafeBytes {
      try ModelConfigurationFile.checked($0, of: url)
    }
  }

  private static func checked(_ bytes: UnsafeRawBufferPointer, of url: URL) throws -> Data {
    guard bytes.count <= largestSize else {
      throw ModelConfigurationError.bad(file: url.path, reason: "larger than 1 MiB")
    }
    guard case .outermostKeys = JSONOutline.scan(bytes, maximumDepth: 32) else {
      throw ModelConfigurationError.bad(
        file: url.path, reason: "not a JSON object of at most 32 levels")
    }
    return Data(bytes)
  }

  /// The `model_type`.
  public func modelType() throws -> String { try decoded(ModelType.self).modelType }

  private struct ModelType: Decodable {
    let modelType: String

    enum CodingKeys: String, CodingKey { case modelType = "model_type" }
  }

  /// - Throws: `ModelConfigurationError.bad`, which names the key.
  public func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
    do {
      return try JSONDecoder().decode(type, from: data)
    } catch DecodingError.keyNotFound(let key, _) {
      throw ModelConfigurationError.bad(
        file: url.path, reason: "\(key.stringValue): missing")
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context)
    {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw ModelConfigurationError.bad(
        file: url.path, reason: "\(path): \(context.debugDescription)")
    } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
      // Such as a number that its type cannot hold.
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      throw ModelConfigurationError.bad(
        file: url.path, reason: "\(path): \(context.debugDescription)")
    } catch {
      throw ModelConfigurationError.bad(file: url.path, reason: "not a JSON object")
    }
  }
}
