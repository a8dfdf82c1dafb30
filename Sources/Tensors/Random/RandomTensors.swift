import Glibc

/// Tensors filled at random, each value a function of (generator, site, its index) alone.
extension Tensor {
  /// Values drawn in runs, so that threads can share the work and yet draw the same.
  private static let runLength = 8192

  /// Values from the uniform distribution over [low, high).
  public static func uniform(
    _ shape: [Int], from low: Float, to high: Float, generator: Philox, site: UInt32
  ) -> Tensor {
    drawn(shape, generator, site) { stream, target, count in
      for index in 0..<count { target[index] = low + (high - low) * stream.uniform() }
    }
  }

  /// Values from the normal distribution (Box–Muller).
  public static func normal(
    _ shape: [Int], standardDeviation: Float, generator: Philox, site: UInt32
  ) -> Tensor {
    drawn(shape, generator, site) { stream, target, count in
      for index in stride(from: 0, to: count, by: 2) {
        let radius = standardDeviation * sqrt(-2 * log(1 - stream.uniform()))
        let angle = 2 * Float.pi * stream.uniform()
        target[index] = radius * cos(angle)
        if index + 1 < count { target[index + 1] = radius * sin(angle) }
      }
    }
  }

  private static func drawn(
    _ shape: [Int], _ generator: Philox, _ site: UInt32,
    _ draw: (inout RandomStream, UnsafeMutablePointer<Float>, Int) -> Void
  ) -> Tensor {
    Tensor(shape: shape) { target in
      Parallel.forEachRun(of: shape.reduce(1, *), grain: runLength) { run in
        var stream = RandomStream(
          generator, site: site, position: UInt32(run.lowerBound / runLength))
        draw(&stream, target + run.lowerBound, run.count)
      }
    }
  }
}
