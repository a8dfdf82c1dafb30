import Glibc

/// Which bias a distance between two rows has: small distances one each, larger ones by the
/// logarithm, up to a largest one (Raffel et al. 2020, §2.1).
struct DistanceBuckets: Sendable {
  /// The buckets of the distances 0, 1, 2, …; the last one never ends.
  private let near: [Int]
  /// What keys behind the query add; nil where none are seen.
  private let offsetOfLater: Int?

  /// - Parameter isBidirectional: Whether later keys are seen; half of the buckets are theirs then.
  init(count: Int, maximumDistance: Int, isBidirectional: Bool) {
    let own = isBidirectional ? count / 2 : count
    let exact = own / 2
    offsetOfLater = isBidirectional ? own : nil
    near = (0...maximumDistance).map { distance in
      if distance < exact { return distance }
      // In float32 and in this order, as the original does: the borders depend on the rounding.
      let share =
        logf(Float(distance) / Float(exact))
        / Float(log(Double(maximumDistance) / Double(exact))) * Float(own - exact)
      return min(own - 1, exact + Int(share))
    }
  }

  /// - Parameter distance: The key's position less the query's.
  func callAsFunction(_ distance: Int) -> Int {
    let later = distance > 0
    let length = offsetOfLater == nil ? max(0, -distance) : abs(distance)
    return near[min(length, near.count - 1)] + (later ? offsetOfLater ?? 0 : 0)
  }
}
