/// What each pixel of a resized row takes from the pixels of the original row.
///
/// Pillow's bicubic filter (Keys 1981 with a = -0.5): the support widens by the scale when
/// shrinking, which averages away what the smaller image cannot show; the weights are
/// normalised to sum 1 and rounded to 22-bit fixed point.
struct BicubicWeights {
  /// The number of fraction bits of a weight.
  static let precisionBits: Int32 = 22

  /// The first pixel that each output pixel looks at, `[outputs]`.
  private(set) var starts: [Int] = []
  /// Where each output pixel's weights begin in `values`, `[outputs + 1]`.
  private(set) var offsets: [Int] = [0]
  /// The weights, those of one output pixel after those of another.
  private(set) var values: [Int32] = []

  /// - Parameters:
  ///   - length: The number of pixels that there are.
  ///   - outputs: The number of pixels wanted.
  init(from length: Int, to outputs: Int) {
    precondition(length > 0 && outputs > 0, "cannot resize \(length) pixels to \(outputs)")
    let scale = Double(length) / Double(outputs)
    let widening = max(scale, 1)
    let support = 2 * widening
    starts.reserveCapacity(outputs)
    offsets.reserveCapacity(outputs + 1)
    values.reserveCapacity(outputs * (Int(support) + 1) * 2)
    var raw: [Double] = []
    for output in 0..<outputs {
      let center = (Double(output) + 0.5) * scale
      let start = max(Int(center - support + 0.5), 0)
      let end = min(Int(center + support + 0.5), length)
      raw.removeAll(keepingCapacity: true)
      var sum = 0.0
      for pixel in start..<end {
        let weight = Self.filter((Double(pixel) - center + 0.5) * (1 / widening))
        raw.append(weight)
        sum += weight
      }
      starts.append(start)
      for weight in raw { values.append(Self.fixedPoint(sum == 0 ? weight : weight / sum)) }
      offsets.append(values.count)
    }
  }

  /// The number of output pixels.
  var count: Int { starts.count }

  private static func filter(_ distance: Double) -> Double {
    let x = abs(distance)
    if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
    if x < 2 { return (((x - 5) * x + 8) * x - 4) * -0.5 }
    return 0
  }

  /// Rounds halves away from zero, as Pillow does.
  private static func fixedPoint(_ weight: Double) -> Int32 {
    Int32(weight * Double(1 << precisionBits) + (weight < 0 ? -0.5 : 0.5))
  }
}

/// Sums of weighted samples, brought back to 8 bits: rounded, then cut to 0...255.
///
/// The cuts work on sign bits, because comparisons of integer vectors compile to scalar code.
@inline(__always)
func eightBits(_ sums: SIMD16<Int32>) -> SIMD16<UInt8> {
  let values = sums &>> BicubicWeights.precisionBits
  let above = (255 &- values) &>> 31
  return SIMD16<UInt8>(truncatingIfNeeded: (values | above) & ~(values &>> 31))
}

/// Half of one in fixed point: where every sum begins, so that shifting right rounds.
let fixedPointHalf = Int32(1) << (BicubicWeights.precisionBits - 1)
