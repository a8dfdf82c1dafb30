import Files
import Foundation

/// Turns the bytes of JPEG, PNG and WebP files into images.
///
/// Files are taken to be hostile: declared sizes are held against the limit before anything is
/// allocated, and whatever the bytes are, the result is an image or an ``ImageError``.
public struct ImageDecoder: Sendable {
  public let options: ImageDecoding
  /// The most pixels an image may have.
  public let maximumPixelCount: Int
  /// The most bytes a file may have.
  public let maximumFileSize: Int

  /// Pillow's limit for "decompression bombs", the default of `maximumPixelCount`.
  public static let defaultMaximumPixelCount = 178_956_970

  /// The longest side: JPEG's own limit. PNG could say more, and a row of 100 million pixels would
  /// need gigabytes of filter weights.
  public static let maximumSide = 65_535

  /// - Parameter maximumPixelCount: At most 2^29, so that four bytes a pixel fit codec counters.
  public init(
    _ options: ImageDecoding = ImageDecoding(),
    maximumPixelCount: Int = ImageDecoder.defaultMaximumPixelCount,
    maximumFileSize: Int = 256 << 20
  ) {
    precondition(
      (1...(1 << 29)).contains(maximumPixelCount),
      "maximumPixelCount is \(maximumPixelCount); expected 1 to \(1 << 29)")
    precondition(maximumFileSize > 0, "maximumFileSize is \(maximumFileSize); expected at least 1")
    self.options = options
    self.maximumPixelCount = maximumPixelCount
    self.maximumFileSize = maximumFileSize
  }

  /// The image in a file.
  /// - Throws: ``ImageError`` that names the file, or `DatasetError.systemFailure`.
  public func decode(file: URL) throws -> RGBImage { try decode(path: file.path) }

  /// The image in a file, whose path is as ``FileName`` has it.
  /// - Throws: ``ImageError`` that names the file, or `DatasetError.systemFailure`.
  public func decode(path: String) throws -> RGBImage {
    try naming(path) { try decode(bytes: try Self.contents(of: path, limit: maximumFileSize)) }
  }

  /// The image in a file's bytes.
  /// - Throws: ``ImageError`` without a file name.
  public func decode(bytes: [UInt8]) throws -> RGBImage {
    try bytes.withUnsafeBytes { try decode(bytes: $0) }
  }

  /// The image in a file's bytes.
  /// - Throws: ``ImageError`` without a file name.
  public func decode(bytes: UnsafeRawBufferPointer) throws -> RGBImage {
    let decoded: (image: RGBImage, orientation: EXIFOrientation)
    switch try format(of: bytes) {
    case .jpeg: decoded = try decodeJPEG(bytes)
    case .png: decoded = try decodePNG(bytes)
    case .webP: decoded = try decodeWebP(bytes)
    }
    guard options.orientation == .apply else { return decoded.image }
    return decoded.image.turned(decoded.orientation)
  }

  /// The format and size that a file's header declares, as the decoded image would have it; the
  /// pixels are not looked at.
  /// - Throws: ``ImageError`` that names the file, or `DatasetError.systemFailure`.
  public func size(of file: URL) throws -> (format: ImageFormat, size: ImageSize) {
    try naming(file.path) { try size(of: try Self.contents(of: file.path, limit: maximumFileSize)) }
  }

  /// The format and size that the header in a file's bytes declares.
  /// - Throws: ``ImageError`` without a file name.
  public func size(of bytes: [UInt8]) throws -> (format: ImageFormat, size: ImageSize) {
    try bytes.withUnsafeBytes { bytes in
      let format = try format(of: bytes)
      let header: (size: ImageSize, orientation: EXIFOrientation)
      switch format {
      case .jpeg: header = try readJPEGHeader(bytes)
      case .png: header = try readPNGHeader(bytes)
      case .webP: header = try readWebPHeader(bytes)
      }
      let turns = options.orientation == .apply && header.orientation.swapsSides
      let size = header.size
      return (format, turns ? ImageSize(width: size.height, height: size.width) : size)
    }
  }

  /// The bytes of an image file.
  /// - Throws: ``ImageError`` without a file name, or `DatasetError.systemFailure` with it.
  static func contents(of path: String, limit: Int) throws -> [UInt8] {
    do {
      return try BoundedFile.contents(of: path, limit: limit)
    } catch {
      switch error.reason {
      case .system(let error) where error.isFailureOfSystem:
        throw DatasetError(error, file: path)
      case .system(let error):
        throw ImageError(reason: .unreadable(error.words(ofReading: path)))
      case .tooLarge(let size, let limit):
        throw ImageError(reason: .fileTooLarge(bytes: size, limit: limit))
      case .notRegular, .empty, .changed: throw ImageError(reason: .notAFile)
      }
    }
  }

  /// Refuses sizes beyond the limits; called before anything is allocated for them.
  func checkSize(width: Int, height: Int) throws -> ImageSize {
    let sides = 1...Self.maximumSide
    guard sides.contains(width), sides.contains(height), width * height <= maximumPixelCount else {
      throw ImageError(
        reason: .unacceptableSize(width: width, height: height, limit: maximumPixelCount))
    }
    return ImageSize(width: width, height: height)
  }

  private func format(of bytes: UnsafeRawBufferPointer) throws -> ImageFormat {
    guard bytes.count <= maximumFileSize else {
      throw ImageError(reason: .fileTooLarge(bytes: bytes.count, limit: maximumFileSize))
    }
    guard !bytes.isEmpty else { throw ImageError(reason: .empty) }
    guard let format = ImageFormat(sniffing: bytes) else {
      throw ImageError(reason: .unknownFormat(FileKind.words(bytes)))
    }
    return format
  }

  private func naming<Result>(_ path: String, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch var error as ImageError {
      error.file = path
      throw error
    }
  }
}
