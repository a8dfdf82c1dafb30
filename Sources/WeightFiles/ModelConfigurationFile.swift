import Files
import Foundation

/// A JSON file of a model's folder, read within bounds.
///
/// What is no value to Swift's decoder, such as `NaN` or a key that is given twice, harms only who reads it.
public struct ModelConfigurationFile: Sendable {
  public let url: URL
  private let data: Data
  /// What is wrong with values that are none, by their dotted keys.
  private let problems: [String: String]

  /// Configuration files are a few kilobytes; anything much larger is something else.
  private static let largestSize = 1 << 20
  private static let limits = JSONScanner.Limits(depth: 31, length: largestSize)

  /// - Throws: `ModelConfigurationError.bad`.
  public init(_ url: URL) throws {
    let file: MappedFile
    do throws(ReadFailure) {
      file = try MappedFile(url.path)
    } catch {
      throw ModelConfigurationError.bad(
        file: url.path,
        reason: "\(error.words); expected a folder with config.json and weights")
    }
    self = try file.withBytes {
      try ModelConfigurationFile($0.bindMemory(to: UInt8.self), of: url)
    }
  }

  /// A configuration that lies within another file, such as a file of weights.
  public init(text: String, within url: URL) throws {
    self = try Array(text.utf8).withUnsafeBufferPointer {
      try ModelConfigurationFile($0, of: url)
    }
  }

  private init(_ bytes: UnsafeBufferPointer<UInt8>, of url: URL) throws {
    func bad(_ reason: String) -> ModelConfigurationError { .bad(file: url.path, reason: reason) }
    guard bytes.count <= Self.largestSize else { throw bad("larger than 1 MiB") }
    do {
      let value = try JSONScanner.document(bytes, limits: Self.limits)
      guard case .object = value else { throw bad("not a JSON object, but \(value.kind)") }
      var problems: [String: String] = [:]
      let plain = value.plain(at: "", &problems)
      (self.url, self.problems) = (url, problems)
      data = try JSONSerialization.data(withJSONObject: plain)
    } catch let failure as JSONScanner.Failure {
      throw bad(
        FileKind.words(
          bytes, orElse: "not a JSON object: \(failure.problem) (byte \(failure.offset))"))
    }
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
    } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
      DecodingError.dataCorrupted(let context)
    {
      // What is corrupted is, for one, a number that its type cannot hold.
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      let reason = problems[path] ?? context.debugDescription
      throw ModelConfigurationError.bad(file: url.path, reason: "\(path): \(reason)")
    }
  }
}

extension JSONValue {
  /// The value as Foundation has it, with an object in the place of each that it does not have.
  /// - Parameter problems: Is told of these, by their dotted keys.
  fileprivate func plain(at path: String, _ problems: inout [String: String]) -> Any {
    func none(_ problem: String, at path: String) -> Any {
      problems[path] = problem
      return [String: Any]()
    }
    switch self {
    case .null: return NSNull()
    case .bool(let value): return value
    case .string(let text): return text
    case .number(let text):
      if let integer { return integer }
      guard let value = Double(text), value.isFinite else {
        return none("expected a number, found \(words)", at: path)
      }
      return value
    case .bytes, .brokenText: return none("expected a text, found \(kind)", at: path)
    case .array(let elements):
      return elements.enumerated().map { $1.plain(at: "\(path).Index \($0)", &problems) }
    case .object(let members):
      var result: [String: Any] = [:]
      for (name, value) in members {
        guard let name else { continue }
        let place = path.isEmpty ? name : "\(path).\(name)"
        result[name] =
          result[name] == nil
          ? value.plain(at: place, &problems) : none("given twice", at: place)
      }
      return result
    }
  }
}

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
