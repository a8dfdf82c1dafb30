/// Brings samples to the range that an image encoder was trained with:
/// `(sample / 255 - mean) / standardDeviation`, for each channel.
public struct ImageNormalization: Sendable, Codable, Hashable {
  /// Red, green, blue.
  public var mean: SIMD3<Float>
  /// Red, green, blue.
  public var standardDeviation: SIMD3<Float>

  /// - Precondition: No standard deviation is 0 or less.
  public init(mean: SIMD3<Float>, standardDeviation: SIMD3<Float>) {
    precondition(
      standardDeviation.min() > 0, "standard deviations \(standardDeviation) are not positive")
    self.mean = mean
    self.standardDeviation = standardDeviation
  }

  /// The values of CLIP's and EVA-CLIP's encoders (Radford et al. 2021).
  public static let clip = ImageNormalization(
    mean: SIMD3(0.48145466, 0.4578275, 0.40821073),
    standardDeviation: SIMD3(0.26862954, 0.26130258, 0.27577711))

  /// Writes the image's samples, channel after channel.
  ///
  /// - Parameters:
  ///   - flipped: Whether left and right change places.
  ///   - output: Room for `[3, height, width]`.
  public func write(
    _ image: RGBImage, flipped: Bool = false, into output: UnsafeMutableBufferPointer<Float>
  ) {
    let (width, height) = (image.width, image.height)
    precondition(
      output.count == width * height * 3,
      "room for \(output.count) numbers; expected [3, \(height), \(width)]")
    // What each of the 256 values becomes in each channel.
    let table = (0..<768).map { index in
      let channel = index / 256
      return (Float(index % 256) / 255 - mean[channel]) / standardDeviation[channel]
    }
    let (start, step, plane) = (flipped ? width - 1 : 0, flipped ? -1 : 1, width * height)
    image.pixels.withUnsafeBufferPointer { pixels in
      table.withUnsafeBufferPointer { table in
        for row in 0..<height {
          var source = row * width * 3
          var target = row * width + start
          for _ in 0..<width {
            output[target] = table[Int(pixels[source])]
            output[target + plane] = table[256 + Int(pixels[source + 1])]
            output[target + 2 * plane] = table[512 + Int(pixels[source + 2])]
            source += 3
            target += step
          }
        }
      }
    }
  }
}
