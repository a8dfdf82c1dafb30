/// An image in memory: 8 bits a channel, red, green, blue, rows from the top.
public struct RGBImage: Equatable, Sendable {
  /// The width in pixels, at least 1.
  public let width: Int
  /// The height in pixels, at least 1.
  public let height: Int
  /// The samples, `[height, width, 3]`.
  public let pixels: [UInt8]

  /// - Precondition: Both sides are at least 1 and `pixels` has `height * width * 3` elements.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "an image of \(width) x \(height) pixels has no pixels")
    precondition(
      pixels.count == width * height * 3,
      "an image of \(width) x \(height) needs \(width * height * 3) bytes, not \(pixels.count)")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// An image whose samples `fill` writes.
  ///
  /// - Parameter fill: Gets the uninitialised samples, `[height, width, 3]`, and must write all.
  init(
    _ size: ImageSize, filledBy fill: (UnsafeMutableBufferPointer<UInt8>) throws -> Void
  ) rethrows {
    let pixels = try [UInt8](count: size.pixelCount * 3, filledBy: fill)
    self.init(width: size.width, height: size.height, pixels: pixels)
  }

  public var size: ImageSize { ImageSize(width: width, height: height) }

  /// The whole image as a box.
  public var bounds: PixelBox { PixelBox(left: 0, top: 0, width: width, height: height) }
}

/// A rectangle of whole pixels; left and top count from the upper left corner.
public struct PixelBox: Equatable, Sendable {
  public var left: Int
  public var top: Int
  public var width: Int
  public var height: Int
}

/// The size of an image in pixels.
public struct ImageSize: Hashable, Sendable, Codable {
  public var width: Int
  public var height: Int

  var pixelCount: Int { width * height }

  public init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }
}
