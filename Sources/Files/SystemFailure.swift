import Glibc

/// A call that the system refused.
public struct SystemFailure: Error, Equatable, CustomStringConvertible {
  public let path: String
  /// What was tried, as in "cannot write".
  public let operation: String
  /// The errno.
  public let code: Int32

  /// - Parameter code: By default that of the last call.
  public init(_ operation: String, _ path: String, code: Int32 = errno) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// The system's words, such as `No space left on device`.
  public var reason: String { String(cString: strerror(code)) }

  public var description: String { "cannot \(operation) \(path): \(reason)" }
}
