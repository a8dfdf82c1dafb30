import Files
import Foundation

/// Why an image could not be had.
public struct ImageError: Error, Equatable, Sendable {
  /// The file, or nil where the bytes came from memory.
  public var file: String?
  public var reason: Reason

  public enum Reason: Equatable, Sendable {
    /// The operating system could not open or read the file.
    case unreadable(String)
    /// The path names a folder, a device or the like.
    case notAFile
    /// The file is larger than the decoder takes.
    case fileTooLarge(bytes: Int, limit: Int)
    /// The file has no bytes.
    case empty
    /// The first bytes are those of no format that is read here; the words say what they are.
    case unknownFormat(String)
    /// The header declares more pixels than the decoder takes, or none.
    case unacceptableSize(width: Int, height: Int, limit: Int)
    /// The format is known, this kind of it is not read.
    case unsupported(ImageFormat, String)
    /// The file is cut short or damaged; the text is the codec's.
    case damaged(ImageFormat, String)
  }
}

extension ImageError {
  /// Why an image could not be had, for a message that names it already.
  public static func reason(of error: any Error) -> String {
    (error as? ImageError).map { "\($0.reason)" } ?? "\(error)"
  }
}

extension ImageError: CustomStringConvertible, LocalizedError {
  public var description: String {
    FileName.displayed(file.map { "\($0): \(reason)" } ?? "\(reason)")
  }
  public var errorDescription: String? { description }
}

extension ImageError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let detail): "cannot be read: \(detail)"
    case .notAFile: "is not a regular file"
    case .fileTooLarge(let bytes, let limit):
      "has \(bytes) bytes, more than the limit of \(limit)"
    case .empty: "is empty"
    case .unknownFormat(let words): "is neither JPEG, PNG nor WebP: it \(words)"
    case .unacceptableSize(let width, let height, let limit):
      "declares \(width) x \(height) pixels; expected 1 to \(limit) pixels in all and sides of "
        + "at most \(ImageDecoder.maximumSide)"
    case .unsupported(let format, let detail):
      "\(format.rawValue) of a kind not read: \(detail)"
    case .damaged(let format, let detail): "damaged \(format.rawValue): \(detail)"
    }
  }
}
