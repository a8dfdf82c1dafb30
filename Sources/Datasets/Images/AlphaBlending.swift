extension RGBImage {
  /// An image laid onto white paper.
  ///
  /// The rounding is that of Pillow's `Image.alpha_composite` over opaque white, which
  /// transformers 5 uses: with 7 extra bits, `colour * a' + 255 * (255 * 128 - a')`, where
  /// `a' = alpha * 128`, divided by 255 by shifts, then by 128.
  ///
  /// - Parameter samples: Red, green, blue and alpha (not premultiplied), `[height, width, 4]`.
  init(blendingOntoWhite samples: [UInt8], size: ImageSize) {
    self.init(size) { pixels in
      for pixel in 0..<size.pixelCount {
        let weight = Int(samples[pixel * 4 + 3]) << 7
        let white = 255 * ((255 << 7) - weight) + (0x80 << 7)
        for channel in 0..<3 {
          let sum = Int(samples[pixel * 4 + channel]) * weight + white
          pixels[pixel * 3 + channel] = UInt8((((sum >> 8) + sum) >> 8) >> 7)
        }
      }
    }
  }
}
