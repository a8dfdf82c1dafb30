import Foundation

/// Why an image could not be made an image file; `detail` is the codec's.
public struct ImageEncodingError: Error, Equatable, Sendable {
  public var format: ImageFormat
  public var detail: String
}

extension ImageEncodingError: CustomStringConvertible, LocalizedError {
  public var description: String { "cannot be made a \(format.rawValue) file: \(detail)" }
  public var errorDescription: String? { description }
}
