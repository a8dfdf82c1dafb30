import Configuration
import Files
import Foundation

/// An error of what a key names, with the key in front: a message is to say where to look.
public struct KeyedError: Error, CustomStringConvertible, LocalizedError {
  /// Such as `data.validation.path`, or `--data`.
  public let key: String
  public let error: any Error
  /// The path that the key holds, if it holds one.
  public var path: String?

  package init(key: String, error: any Error, path: String? = nil) {
    self.key = key
    self.error = error
    self.path = path
  }

  public var description: String {
    "\(key): \((error as? any LocalizedError)?.errorDescription ?? String(describing: error))"
      + (path.map(WorkingFolder.hint(for:)) ?? "")
  }

  /// Does something with what a key names.
  /// - Parameter path: The path that the key holds, if it holds one.
  /// - Throws: `KeyedError` around what `body` throws; a configuration's errors have their key, and
  ///   `Interrupted` is none.
  public static func naming<Result>(
    _ key: String, path: String? = nil, _ body: () throws -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch  where error is ConfigurationError || error is Interrupted || error is KeyedError {
      throw error
    } catch {
      throw KeyedError(key: key, error: error, path: path)
    }
  }
}
