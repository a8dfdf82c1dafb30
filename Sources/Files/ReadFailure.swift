import Foundation

/// A file that was not read, and why.
public struct ReadFailure: Error, Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    /// The operating system refused.
    case system(SystemError)
    /// It is a folder, a pipe, a socket or a device.
    case notRegular
    case empty
    /// It has `size` bytes, and files of its kind have at most `limit`.
    case tooLarge(size: Int, limit: Int)
    /// Another program wrote it meanwhile.
    case changed
  }

  public let path: String
  public let reason: Reason

  public init(_ path: String, _ reason: Reason) {
    self.path = path
    self.reason = reason
  }
}

extension ReadFailure: CustomStringConvertible, LocalizedError {
  public var description: String { "\(path): \(words)" }

  /// What follows the path, with what it leads to where that is known.
  public var words: String {
    switch reason {
    case .system(let error): "cannot be read: \(error.words(ofReading: path))"
    case .notRegular where FileSystem.isFolder(path): "expected a regular file, found a folder"
    case .notRegular: "expected a regular file, found a folder, pipe or device"
    case .empty: "the file is empty; fetch it again"
    case .tooLarge(let size, let limit): "expected at most \(limit) bytes, found \(size)"
    case .changed: "it changed while it was read; wait until its writer has finished"
    }
  }

  public var errorDescription: String? { description }
}
