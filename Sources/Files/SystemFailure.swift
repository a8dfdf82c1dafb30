import Foundation

/// A call that the system refused.
public struct SystemFailure: Error, Equatable, CustomStringConvertible, LocalizedError {
  public let path: String
  /// What was tried, as in "cannot write".
  public let operation: String
  public let error: SystemError

  /// - Parameter error: By default that of the last call.
  public init(_ operation: String, _ path: String, _ error: SystemError = SystemError()) {
    self.operation = operation
    self.path = path
    self.error = error
  }

  /// - Parameter code: The errno.
  public init(_ operation: String, _ path: String, code: Int32) {
    self.init(operation, path, SystemError(code))
  }

  /// The errno.
  public var code: Int32 { error.code }
  /// The system's words, such as `No space left on device`.
  public var reason: String { error.words }

  public var description: String { "cannot \(operation) \(path): \(reason)" }
  public var errorDescription: String? { description }
}
