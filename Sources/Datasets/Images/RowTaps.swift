/// The weights of the horizontal pass, laid out for vectors of 16 samples.
///
/// Sixteen samples of a row hold five pixels and a bit. A vector of weights repeats each pixel's
/// weight for its three channels, `w0 w0 w0 w1 w1 w1 … w4 w4 w4 0`, so that one multiplication
/// serves five pixels; the five partial sums of each channel are added at the end.
struct RowTaps {
  /// The pixels that one vector covers.
  private static let pixelsPerVector = 5

  /// For each output pixel, the byte at which its first vector begins, and its vectors.
  private struct Output {
    let start: Int
    let vectors: Range<Int>
  }

  private var outputs: [Output] = []
  private var vectors: [SIMD16<Int32>] = []
  /// The bytes from a row's first sample that loads may touch.
  private(set) var reach = 0

  init(_ weights: BicubicWeights) {
    outputs.reserveCapacity(weights.count)
    for index in 0..<weights.count {
      let first = vectors.count
      let range = weights.offsets[index]..<weights.offsets[index + 1]
      for begin in Swift.stride(from: range.lowerBound, to: range.upperBound, by: 5) {
        var vector = SIMD16<Int32>()
        for pixel in 0..<min(Self.pixelsPerVector, range.upperBound - begin) {
          for channel in 0..<3 { vector[pixel * 3 + channel] = weights.values[begin + pixel] }
        }
        vectors.append(vector)
      }
      let start = weights.starts[index] * 3
      outputs.append(Output(start: start, vectors: first..<vectors.count))
      reach = max(reach, start + (vectors.count - first - 1) * Self.pixelsPerVector * 3 + 16)
    }
  }

  /// Resizes one row.
  ///
  /// - Parameters:
  ///   - row: The samples, `[width, 3]`, of which `reach` bytes may be read.
  ///   - output: Room for `[outputs, 3]` samples.
  func resize(_ row: UnsafeRawPointer, into output: UnsafeMutableRawPointer) {
    outputs.withUnsafeBufferPointer { outputs in
      vectors.withUnsafeBufferPointer { vectors in
        var place = output
        // Four bytes are written at once; the fourth is the next pixel's first, written after it.
        for tap in outputs.dropLast() {
          let pixel = Self.pixel(row + tap.start, vectors, tap.vectors)
          place.storeBytes(of: pixel, as: SIMD4<UInt8>.self)
          place += 3
        }
        guard let last = outputs.last else { return }
        let pixel = Self.pixel(row + last.start, vectors, last.vectors)
        for channel in 0..<3 {
          place.storeBytes(of: pixel[channel], toByteOffset: channel, as: UInt8.self)
        }
      }
    }
  }

  /// The weighted sum of the pixels from `source` on.
  /// - Returns: Three channels, and a fourth without meaning.
  @inline(__always)
  private static func pixel(
    _ source: UnsafeRawPointer, _ vectors: UnsafeBufferPointer<SIMD16<Int32>>, _ range: Range<Int>
  ) -> SIMD4<UInt8> {
    var source = source
    var sums = SIMD16<Int32>()
    for index in range {
      let samples = source.loadUnaligned(as: SIMD16<UInt8>.self)
      sums &+= SIMD16<Int32>(truncatingIfNeeded: samples) &* vectors[index]
      source += pixelsPerVector * 3
    }
    let first = SIMD4(sums[0], sums[1], sums[2], 0) &+ SIMD4(sums[3], sums[4], sums[5], 0)
    let second = SIMD4(sums[6], sums[7], sums[8], 0) &+ SIMD4(sums[9], sums[10], sums[11], 0)
    let last = SIMD4(sums[12], sums[13], sums[14], 0) &+ SIMD4(repeating: fixedPointHalf)
    return eightBits(first &+ second &+ last)
  }
}
