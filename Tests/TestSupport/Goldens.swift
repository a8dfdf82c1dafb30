import Foundation
import Tensors
import WeightFiles

/// The reference numbers of independent implementations.
public enum Goldens {
  /// `BLIP2_GOLDENS`, else `Tests/Goldens` of this repository.
  public static let folder: URL = {
    if let path = ProcessInfo.processInfo.environment["BLIP2_GOLDENS"], !path.isEmpty {
      return URL(fileURLWithPath: path, isDirectory: true).resolvingSymlinksInPath()
    }
    return repository.appendingPathComponent("Tests/Goldens", isDirectory: true)
      .resolvingSymlinksInPath()
  }()

  public static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The files of a folder that end so, by name.
  public static func files(in name: String, ending: String = ".safetensors") -> [URL] {
    let url = folder.appendingPathComponent(name)
    let files =
      (try? FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: nil)) ?? []
    return files.filter { $0.path.hasSuffix(ending) }.sorted { $0.path < $1.path }
  }

  /// The folders whose names begin so and that hold a file.
  public static func folders(beginning prefix: String, with file: String) -> [URL] {
    let folders =
      (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil))
      ?? []
    return folders.filter {
      $0.lastPathComponent.hasPrefix(prefix)
        && FileManager.default.fileExists(atPath: $0.appendingPathComponent(file).path)
    }.sorted { $0.path < $1.path }
  }
}

/// One golden file.
public struct Golden {
  public let file: SafetensorsFile

  public init(_ url: URL) throws {
    file = try SafetensorsFile(url)
  }

  public func tensor(_ name: String) throws -> Tensor { try file.tensor(named: name).tensor() }

  public func integers(_ name: String) throws -> [Int] {
    try file.tensor(named: name).integers().map { Int($0) }
  }

  /// Integers of a matrix, row by row.
  public func rows(_ name: String) throws -> [[Int32]] {
    let stored = try file.tensor(named: name)
    let values = try stored.integers().map { Int32($0) }
    let width = stored.shape.last ?? 1
    return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
  }

  public func names(under prefix: String) -> [String] {
    file.names.filter { $0.hasPrefix(prefix) }
  }

  /// The JSON of the file's metadata; its snake_case keys are read as camelCase.
  public func configuration<Value: Decodable>(_ type: Value.Type) throws -> Value {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(type, from: Data((file.metadata["config"] ?? "{}").utf8))
  }
}
