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

  /// Something of each of four rows.
  typealias Four<Element> = (Element, Element, Element, Element)

  /// Resizes four rows, so that weights are fetched once for all of them and the sums of four pixels
  /// become bytes together.
  ///
  /// - Parameters:
  ///   - rows: The samples, `[width, 3]`, of which `reach` bytes may be read.
  ///   - places: Room for `[outputs, 3]` samples each. Two may be the same where their rows are.
  func resize(_ rows: Four<UnsafeRawPointer>, into places: Four<UnsafeMutableRawPointer>) {
    outputs.withUnsafeBufferPointer { outputs in
      vectors.withUnsafeBufferPointer { vectors in
        for index in 0..<outputs.count {
          let pixels = Self.pixels(rows, outputs[index], vectors)
          let words = unsafeBitCast(pixels, to: SIMD4<UInt32>.self)
          let isLast = index == outputs.count - 1
          Self.store(words[0], to: places.0 + index * 3, isLast: isLast)
          Self.store(words[1], to: places.1 + index * 3, isLast: isLast)
          Self.store(words[2], to: places.2 + index * 3, isLast: isLast)
          Self.store(words[3], to: places.3 + index * 3, isLast: isLast)
        }
      }
    }
  }

  /// Four bytes are written at once; the fourth is the next pixel's first, written after it. A row's
  /// last pixel has none after it.
  @inline(__always)
  private static func store(_ pixel: UInt32, to place: UnsafeMutableRawPointer, isLast: Bool) {
    guard isLast else { return place.storeBytes(of: pixel, as: UInt32.self) }
    withUnsafeBytes(of: pixel) { bytes in
      for channel in 0..<3 {
        place.storeBytes(of: bytes[channel], toByteOffset: channel, as: UInt8.self)
      }
    }
  }

  /// One output pixel of each row.
  /// - Returns: `[4, 4]`: three channels, and a fourth without meaning.
  @inline(__always)
  private static func pixels(
    _ rows: Four<UnsafeRawPointer>, _ output: Output,
    _ vectors: UnsafeBufferPointer<SIMD16<Int32>>
  ) -> SIMD16<UInt8> {
    var sums = (SIMD16<Int32>(), SIMD16<Int32>(), SIMD16<Int32>(), SIMD16<Int32>())
    var offset = output.start
    for index in output.vectors {
      let weights = vectors[index]
      sums.0 &+= samples(rows.0 + offset) &* weights
      sums.1 &+= samples(rows.1 + offset) &* weights
      sums.2 &+= samples(rows.2 + offset) &* weights
      sums.3 &+= samples(rows.3 + offset) &* weights
      offset &+= pixelsPerVector * 3
    }
    let first = SIMD8(lowHalf: channels(sums.0), highHalf: channels(sums.1))
    let second = SIMD8(lowHalf: channels(sums.2), highHalf: channels(sums.3))
    return eightBits(SIMD16(lowHalf: first, highHalf: second) &+ fixedPointHalf)
  }

  @inline(__always)
  private static func samples(_ place: UnsafeRawPointer) -> SIMD16<Int32> {
    SIMD16<Int32>(truncatingIfNeeded: place.loadUnaligned(as: SIMD16<UInt8>.self))
  }

  /// The sums over a vector's five pixels, channel by channel, and a fourth without meaning.
  ///
  /// Neighbouring lanes are taken together, so that this compiles to few shuffles.
  @inline(__always)
  private static func channels(_ sums: SIMD16<Int32>) -> SIMD4<Int32> {
    let pairs =
      sums.lowHalf
      &+ SIMD8(sums[6], sums[7], sums[8], sums[9], sums[10], sums[11], sums[12], sums[13])
    return pairs.lowHalf &+ SIMD4(pairs[3], pairs[4], pairs[5], pairs[6]) &+ sums.highHalf.highHalf
  }
}
