extension RGBImage {
  /// The part inside `box`, resized with Pillow's bicubic filter: the same bytes as Pillow 11's
  /// `crop` followed by `resize`. Pixels outside the box play no part.
  ///
  /// Rows are resized first, then columns; each pass rounds to 8 bits, and one that would change
  /// nothing is left out.
  /// - Precondition: The box is not empty and lies within the image.
  public func resized(_ box: PixelBox, to size: ImageSize) -> RGBImage {
    precondition(
      box.width > 0 && box.height > 0 && box.left >= 0 && box.top >= 0
        && box.left + box.width <= width && box.top + box.height <= height,
      "\(box) does not lie within \(width) x \(height) pixels")
    precondition(size.width > 0 && size.height > 0, "cannot resize to \(size)")
    return pixels.withUnsafeBytes { bytes in
      let offset = (box.top * width + box.left) * 3
      let source = PixelRows(
        bytes: UnsafeRawBufferPointer(rebasing: bytes[offset...]), stride: width * 3,
        width: box.width, height: box.height)
      return RGBImage(size) { output in
        guard let output = output.baseAddress else { return }
        source.resize(to: size, into: UnsafeMutableRawPointer(output))
      }
    }
  }

  /// The whole image resized, whatever that does to its proportions.
  public func resized(to size: ImageSize) -> RGBImage { resized(bounds, to: size) }
}
