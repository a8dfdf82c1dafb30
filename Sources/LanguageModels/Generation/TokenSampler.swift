import Tensors

/// Draws tokens at random.
///
/// Nothing is sorted: which tokens belong to the likeliest is found by halving the interval in which
/// the least of their values lies.
struct TokenSampler {
  let options: GenerationOptions.Sampling

  /// Where these draws belong in a run that makes others too.
  private static let site: UInt32 = 0x4745_4E01

  /// A number in [0, 1) that depends on the seed and on its place alone.
  func uniform(prompt: Int, returned: Int, step: Int) -> Double {
    var stream = RandomStream(
      Philox(seed: options.seed, stream: UInt64(truncatingIfNeeded: returned)),
      site: TokenSampler.site, sample: UInt32(truncatingIfNeeded: prompt),
      position: UInt32(truncatingIfNeeded: step))
    return stream.uniformDouble()
  }

  /// Draws from what temperature, top-k and top-p, in this order, leave of a row of logits; the row's
  /// values become weights in place.
  /// - Parameter uniform: A number in [0, 1): tokens take their shares of it in order of their ids.
  /// - Returns: Nil where all logits are minus infinity.
  func draw(_ row: LogitRow, uniform: Double) -> Int32? {
    let temperature = options.temperature
    let highest = maximumOfVectors(row.values, count: row.count)
    guard highest > -.infinity else { return nil }
    let floor = leastOfTopK(row, highest: highest)
    mapVectors(row.values, into: row.values, count: row.count) { logits in
      let distances = (logits - highest) / temperature
      return distances.exponential().replacing(with: 0, where: distances .< -87)
        .replacing(with: 0, where: logits .< floor)
    }
    if options.topP < 1 { keepTopP(row) }
    return token(in: row, at: uniform)
  }

  /// The k-th largest logit.
  private func leastOfTopK(_ row: LogitRow, highest: Float) -> Float {
    guard let topK = options.topK, topK < row.count else { return -.infinity }
    let bounds = (0..<8).map { highest - Float(1 << $0) }
    return row.threshold(reaching: Float(topK), bounds: bounds) { _ in Vector(repeating: 1) }
  }

  /// Leaves the fewest weights whose sum reaches the share `topP` of all; of equal ones those of the
  /// lower ids.
  private func keepTopP(_ row: LogitRow) {
    let wanted = options.topP * row.sum { $0 }
    // The largest weight is 1.
    let bounds = (1...8).map { Float(sign: .plus, exponent: -3 * $0, significand: 1) }
    let threshold = row.threshold(reaching: wanted, bounds: bounds) { $0 }
    mapVectors(row.values, into: row.values, count: row.count) {
      $0.replacing(with: 0, where: $0 .< threshold)
    }
    // What is equal to the threshold stays until the sum is reached.
    var mass = row.sum { $0.replacing(with: 0, where: $0 .== threshold) }
    for token in 0..<row.count where row.values[token] == threshold {
      if mass >= wanted { row.values[token] = 0 }
      mass += threshold
    }
  }

  /// The token at a share of the summed weights.
  private func token(in row: LogitRow, at uniform: Double) -> Int32 {
    let runLength = 1024
    let starts = Array(stride(from: 0, to: row.count, by: runLength))
    let sums = starts.map { start in
      Double(sumVectors(row.values + start, count: min(runLength, row.count - start)) { $0 })
    }
    var left = uniform * sums.reduce(0, +)
    var last: Int32 = 0
    for (start, sum) in zip(starts, sums) where sum > 0 {
      // A run is entered where its sum says so, or where rounding leaves nothing behind it.
      if left >= sum, sums[(start / runLength + 1)...].contains(where: { $0 > 0 }) {
        left -= sum
        continue
      }
      for token in start..<min(start + runLength, row.count) where row.values[token] > 0 {
        last = Int32(token)
        left -= Double(row.values[token])
        if left < 0 { return last }
      }
      return last
    }
    return last
  }
}

extension LogitRow {
  /// The largest threshold such that what the values at or above it weigh reaches `wanted`.
  /// - Parameter bounds: Guesses below the threshold, falling. Most values lie below the first that is
  ///   one, and need not be looked at again.
  @inline(__always)
  fileprivate func threshold(
    reaching wanted: Float, bounds: [Float], weighing: (Vector) -> Vector
  ) -> Float {
    let bound =
      bounds.first { bound in
        sum { Vector.zero.replacing(with: weighing($0), where: $0 .>= bound) } >= wanted
      } ?? -.infinity
    let candidates = valuesAtLeast(bound)
    let threshold = largestThreshold { threshold in
      sumVectors(candidates, count: candidates.count) {
        Vector.zero.replacing(with: weighing($0), where: $0 .>= threshold)
      } >= wanted
    }
    // Below the bound where the sum, in this other order, falls short by rounding.
    return max(bound, threshold)
  }

  /// The sum of f(value).
  @inline(__always)
  fileprivate func sum(_ f: (Vector) -> Vector) -> Float {
    sumVectors(values, count: count, f)
  }
}

/// The largest number for which the condition holds, minus infinity if for none; it must hold for all
/// below one for which it does.
func largestThreshold(where holds: (Float) -> Bool) -> Float {
  // Over the bits, so that every number is reached in 32 halvings.
  var (low, high) = (order(of: -.infinity), order(of: .infinity) + 1)
  while high - low > 1 {
    let middle = low + (high - low) / 2
    if holds(number(of: middle)) { low = middle } else { high = middle }
  }
  return number(of: low)
}

/// Whole numbers that are ordered as the numbers are.
private func order(of number: Float) -> UInt32 {
  let bits = number.bitPattern
  return bits & 0x8000_0000 == 0 ? bits | 0x8000_0000 : ~bits
}

private func number(of order: UInt32) -> Float {
  Float(bitPattern: order & 0x8000_0000 == 0 ? ~order : order & 0x7fff_ffff)
}
