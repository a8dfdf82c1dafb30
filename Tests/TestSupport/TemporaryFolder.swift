import Foundation

/// A folder of a test's own, removed with all that lies in it when the object goes away.
public final class TemporaryFolder {
  public let url: URL

  public init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("blip2-train-tests-\(UUID().uuidString)", isDirectory: true)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  public func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  @discardableResult
  public func write(_ text: String, to name: String) throws -> URL {
    let file = url.appendingPathComponent(name)
    try Data(text.utf8).write(to: file)
    return file
  }

  /// Makes a file anew. (Some file systems wait for the disk where a file is emptied and written.)
  @discardableResult
  public func replace(_ name: String, with bytes: [UInt8]) throws -> URL {
    let file = url.appendingPathComponent(name)
    try? FileManager.default.removeItem(at: file)
    try Data(bytes).write(to: file)
    return file
  }

  /// Copies a file or folder into this one.
  @discardableResult
  public func copy(_ source: URL, as name: String? = nil) throws -> URL {
    let target = url.appendingPathComponent(name ?? source.lastPathComponent)
    try FileManager.default.copyItem(at: source, to: target)
    return target
  }
}
