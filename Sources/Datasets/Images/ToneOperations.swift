/// Operations on the samples of an image where they are, for augmentation.
extension RGBImage {
  /// Each sample multiplied, cut at 255 and rounded down.
  func brightened(by factor: Float) -> RGBImage {
    let table = (0..<256).map { UInt8(min(max(Float($0) * factor, 0), 255)) }
    return mapped { _ in table }
  }

  /// Each channel stretched to the whole range from 0 to 255.
  func withFullContrast() -> RGBImage {
    let histograms = histograms()
    return mapped { channel in
      let histogram = histograms[channel]
      let low = histogram.firstIndex { $0 > 0 } ?? 0
      let high = histogram.lastIndex { $0 > 0 } ?? 0
      guard high > low else { return (0...255).map { UInt8($0) } }
      let scale = 255 / Double(high - low)
      let offset = -Double(low) * scale
      return (0..<256).map { UInt8(min(max(Double($0) * scale + offset, 0), 255)) }
    }
  }

  /// Each channel's histogram made even, as Pillow's `ImageOps.equalize` does it.
  func equalized() -> RGBImage {
    let histograms = histograms()
    let count = width * height
    return mapped { channel in
      let histogram = histograms[channel]
      let last = histogram.last { $0 > 0 } ?? 0
      let step = (count - last) / 255
      guard step > 0 else { return (0...255).map { UInt8($0) } }
      var sum = step / 2
      return histogram.map { number in
        defer { sum += number }
        return UInt8(min(sum / step, 255))
      }
    }
  }

  /// The image moved away from its smoothed form (or towards it, for factors below 1); the outermost
  /// pixels stay. Where the original's sums leave the range they wrap round, here they are cut.
  func sharpened(by factor: Float) -> RGBImage {
    guard factor != 1, width > 2, height > 2 else { return self }
    let line = width * 3
    return RGBImage(size) { output in
      _ = output.initialize(fromContentsOf: pixels)
      for row in 1..<height - 1 {
        for place in (row * line + 3)..<(row * line + line - 3) {
          var sum = 4 * Int(pixels[place])
          for above in [place - line, place, place + line] {
            sum += Int(pixels[above - 3]) + Int(pixels[above]) + Int(pixels[above + 3])
          }
          let smooth = Float(sum / 13 + (sum % 13 > 6 ? 1 : 0))
          let sharp = smooth + factor * (Float(pixels[place]) - smooth)
          output[place] = UInt8(min(max(sharp, 0), 255))
        }
      }
    }
  }

  /// How often each value occurs, `[3][256]`.
  private func histograms() -> [[Int]] {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: 256), count: 3)
    for (place, value) in pixels.enumerated() { counts[place % 3][Int(value)] += 1 }
    return counts
  }

  /// Every sample replaced by what its channel's table says.
  private func mapped(_ table: (_ channel: Int) -> [UInt8]) -> RGBImage {
    let tables = (0..<3).map(table)
    return RGBImage(size) { output in
      for place in pixels.indices { output[place] = tables[place % 3][Int(pixels[place])] }
    }
  }
}
