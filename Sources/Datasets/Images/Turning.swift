extension RGBImage {
  /// The image as it was seen, from the image as it is stored; Pillow's `exif_transpose`.
  func turned(_ orientation: EXIFOrientation) -> RGBImage {
    guard orientation != .upright else { return self }
    let (w, h) = (width, height)
    // The stored place of the turned image's (x, y) is origin + x * across + y * down.
    let (origin, across, down): (Int, Int, Int)
    switch orientation {
    case .upright: (origin, across, down) = (0, 1, w)
    case .mirrored: (origin, across, down) = (w - 1, -1, w)
    case .halfTurn: (origin, across, down) = (w * h - 1, -1, -w)
    case .flipped: (origin, across, down) = (w * (h - 1), 1, -w)
    case .transposed: (origin, across, down) = (0, w, 1)
    case .quarterTurnRight: (origin, across, down) = (w * (h - 1), -w, 1)
    case .transversed: (origin, across, down) = (w * h - 1, -w, -1)
    case .quarterTurnLeft: (origin, across, down) = (w - 1, w, -1)
    }
    let size = orientation.swapsSides ? ImageSize(width: h, height: w) : size
    return pixels.withUnsafeBufferPointer { stored in
      RGBImage(size) { pixels in
        var target = 0
        for y in 0..<size.height {
          var source = 3 * (origin + y * down)
          for _ in 0..<size.width {
            pixels[target] = stored[source]
            pixels[target + 1] = stored[source + 1]
            pixels[target + 2] = stored[source + 2]
            target += 3
            source += 3 * across
          }
        }
      }
    }
  }
}
