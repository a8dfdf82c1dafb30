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

  /// How many rows are resized together, which shares the work around the multiplications.
  static let rowsAtOnce = 4

  /// Four rows of samples, `[width, 3]`, of which `reach` bytes each may be read.
  typealias Rows = (UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer, UnsafeRawPointer)

  /// The numbers that ``sum(_:into:)`` writes for each row: three for each output pixel, and room
  /// for vectors to reach beyond them.
  var sumsPerRow: Int { outputs.count * 3 + 16 }

  /// Writes four rows of weighted sums in fixed point, `[4, sumsPerRow]`.
  func sum(_ rows: Rows, into output: UnsafeMutablePointer<Int32>) {
    let rowLength = sumsPerRow
    outputs.withUnsafeBufferPointer { outputs in
      vectors.withUnsafeBufferPointer { vectors in
        var place = output
        for tap in outputs {
          var sums = (
            SIMD16<Int32>(), SIMD16<Int32>(), SIMD16<Int32>(), SIMD16<Int32>()
          )
          var start = tap.start
          for index in tap.vectors {
            let weights = vectors[index]
            sums.0 &+= Self.samples(rows.0 + start) &* weights
            sums.1 &+= Self.samples(rows.1 + start) &* weights
            sums.2 &+= Self.samples(rows.2 + start) &* weights
            sums.3 &+= Self.samples(rows.3 + start) &* weights
            start += Self.pixelsPerVector * 3
          }
          Self.store(sums.0, at: place)
          Self.store(sums.1, at: place + rowLength)
          Self.store(sums.2, at: place + 2 * rowLength)
          Self.store(sums.3, at: place + 3 * rowLength)
          place += 3
        }
      }
    }
  }

  @inline(__always)
  private static func samples(_ place: UnsafeRawPointer) -> SIMD16<Int32> {
    SIMD16<Int32>(truncatingIfNeeded: place.loadUnaligned(as: SIMD16<UInt8>.self))
  }

  /// Adds up the five partial sums of each channel. The fourth number written is the next pixel's
  /// first, which is written after it.
  @inline(__always)
  private static func store(_ sums: SIMD16<Int32>, at place: UnsafeMutablePointer<Int32>) {
    let first = SIMD4(sums[0], sums[1], sums[2], 0) &+ SIMD4(sums[3], sums[4], sums[5], 0)
    let second = SIMD4(sums[6], sums[7], sums[8], 0) &+ SIMD4(sums[9], sums[10], sums[11], 0)
    let last = SIMD4(sums[12], sums[13], sums[14], 0) &+ SIMD4(repeating: fixedPointHalf)
    UnsafeMutableRawPointer(place).storeBytes(
      of: first &+ second &+ last, as: SIMD4<Int32>.self)
  }
}
