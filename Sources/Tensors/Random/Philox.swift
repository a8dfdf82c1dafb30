/// The counter-based generator Philox4x32 with ten rounds (Salmon et al. 2011, "Parallel random
/// numbers: as easy as 1, 2, 3").
///
/// It has no state: the same key and counter give the same four words on every machine, in any
/// order and on any thread. That is what makes a resumed run draw what the first run would have.
public struct Philox: Sendable {
  /// The two key words, by convention derived from the run's seed and the step.
  public let key: SIMD2<UInt32>

  public init(key: SIMD2<UInt32>) {
    self.key = key
  }

  /// A generator for one purpose of a run: both halves of the seed are mixed with the stream number.
  public init(seed: UInt64, stream: UInt64 = 0) {
    let mixed = Philox.mixed(seed ^ Philox.mixed(stream))
    key = SIMD2(UInt32(truncatingIfNeeded: mixed), UInt32(truncatingIfNeeded: mixed >> 32))
  }

  /// The four random words at a counter.
  public func words(at counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let first = UInt64(c.x) &* 0xD251_1F53
      let second = UInt64(c.z) &* 0xCD9E_8D57
      c = SIMD4(
        UInt32(truncatingIfNeeded: second >> 32) ^ c.y ^ k.x,
        UInt32(truncatingIfNeeded: second),
        UInt32(truncatingIfNeeded: first >> 32) ^ c.w ^ k.y,
        UInt32(truncatingIfNeeded: first))
      k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return c
  }

  /// The finaliser of SplitMix64: every bit of the input reaches every bit of the output.
  static func mixed(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
