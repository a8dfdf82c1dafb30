import Glibc

/// A call that the system refused.
public struct SystemFailure: Error, Equatable, CustomStringConvertible {
  public let path: String
  /// What was tried, as in "cannot write".
  public let operation: String
  public let error: SystemError

  /// - Parameter code: The errno; by default that of the last call.
  public init(_ operation: String, _ path: String, code: Int32 = errno) {
    self.operation = operation
    self.path = path
    error = SystemError(code)
  }

  /// The errno.
  public var code: Int32 { error.code }
  /// The system's words, such as `No space left on device`.
  public var reason: String { error.words }

  public var description: String { "cannot \(operation) \(path): \(reason)" }
}
