/// A sequence of random numbers that begins at a named place: (site, sample, position).
///
/// The numbers depend on the generator's key and on that place alone, never on what was drawn
/// before or elsewhere.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private let generator: Philox
  private var counter: SIMD4<UInt32>
  private var words = SIMD4<UInt32>()
  private var used = 4

  /// - Parameters:
  ///   - site: What is being drawn: one number for each use in the program.
  ///   - sample: The sample's index, in the global batch or in the data set.
  ///   - position: The place within the sample.
  public init(_ generator: Philox, site: UInt32, sample: UInt32 = 0, position: UInt32 = 0) {
    self.generator = generator
    counter = SIMD4(0, position, sample, site)
  }

  public mutating func nextWord() -> UInt32 {
    if used == 4 {
      words = generator.words(at: counter)
      counter.x &+= 1
      used = 0
    }
    defer { used += 1 }
    return words[used]
  }

  public mutating func next() -> UInt64 {
    UInt64(nextWord()) | UInt64(nextWord()) << 32
  }

  /// A number in [0, 1) with 24 random bits.
  public mutating func uniform() -> Float {
    Float(nextWord() >> 8) * 0x1p-24
  }

  /// A number in [0, 1) with 53 random bits.
  public mutating func uniformDouble() -> Double {
    Double(next() >> 11) * 0x1p-53
  }
}
