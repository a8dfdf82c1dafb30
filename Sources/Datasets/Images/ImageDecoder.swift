import Files
import Foundation

/// The bytes of a file whose header has been read.
protocol ImageFile {
  /// - Parameter bytes: Must outlive the file.
  /// - Throws: ``ImageError`` where there is no header that is understood.
  init(_ bytes: UnsafeRawBufferPointer) throws

  /// What the header declares, which may be any size.
  var size: ImageSize { get }

  /// How the image must be turned to stand upright.
  var orientation: EXIFOrientation { get }

  /// Unpacks the image as it is stored.
  func image(_ options: ImageDecoding) throws -> RGBImage
}

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
    try read(bytes) { _, file in
      let image = try file.image(options)
      return options.orientation == .apply ? image.turned(file.orientation) : image
    }
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
    try read(bytes) { format, file in
      let size = file.size
      let turns = options.orientation == .apply && file.orientation.swapsSides
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

  /// Opens a file and refuses sizes beyond the limits, before anything is allocated for them.
  private func read<Value>(
    _ bytes: [UInt8], _ use: (ImageFormat, any ImageFile) throws -> Value
  ) throws -> Value {
    let format = try format(of: bytes)
    func checked(_ file: any ImageFile) throws -> Value {
      let (size, sides) = (file.size, 1...Self.maximumSide)
      guard sides.contains(size.width), sides.contains(size.height),
        size.pixelCount <= maximumPixelCount
      else {
        throw ImageError(
          reason: .unacceptableSize(
            width: size.width, height: size.height, limit: maximumPixelCount))
      }
      return try use(format, file)
    }
    return try bytes.withUnsafeBytes { bytes in
      switch format {
      case .jpeg: try checked(JPEGFile(bytes))
      case .png: try PNGFile.passingOverChunks(bytes) { try checked(PNGFile($0)) }
      case .webP: try checked(WebPFile(bytes))
      }
    }
  }

  private func format(of bytes: [UInt8]) throws -> ImageFormat {
    guard bytes.count <= maximumFileSize else {
      throw ImageError(reason: .fileTooLarge(bytes: bytes.count, limit: maximumFileSize))
    }
    guard !bytes.isEmpty else { throw ImageError(reason: .empty) }
    guard let format = bytes.withUnsafeBytes({ ImageFormat(sniffing: $0) }) else {
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
