import Glibc
import Testing

@testable import Tensors

/// The generator against the known answers of its authors, and what is drawn with it.
@Suite struct PhiloxTests {
  struct KnownAnswer: CustomStringConvertible {
    let description: String
    let counter: SIMD4<UInt32>
    let key: SIMD2<UInt32>
    let words: SIMD4<UInt32>
  }

  /// philox4x32-10 in the file `kat_vectors` of Random123 (Salmon et al. 2011).
  static let knownAnswers = [
    KnownAnswer(
      description: "zeros", counter: SIMD4(repeating: 0), key: SIMD2(repeating: 0),
      words: SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)),
    KnownAnswer(
      description: "ones", counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max),
      words: SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)),
    KnownAnswer(
      description: "digits of pi",
      counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
      key: SIMD2(0xa409_3822, 0x299f_31d0),
      words: SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)),
  ]

  @Test(arguments: knownAnswers)
  func knownAnswer(_ example: KnownAnswer) {
    #expect(Philox(key: example.key).words(at: example.counter) == example.words)
  }

  @Test(arguments: knownAnswers)
  func blocksAreTheWordsOfNeighbouringCounters(_ example: KnownAnswer) {
    let generator = Philox(key: example.key)
    // The first counter runs over the end of 32 bits in one of the examples.
    let counter = example.counter
    let blocks = generator.blocks(
      first: counter.x, position: counter.y, sample: counter.z, site: counter.w)
    for lane in 0..<16 {
      let place = SIMD4(counter.x &+ UInt32(lane), counter.y, counter.z, counter.w)
      let expected = generator.words(at: place)
      let found = SIMD4(blocks.0[lane], blocks.1[lane], blocks.2[lane], blocks.3[lane])
      #expect(found == expected, "lane \(lane)")
    }
  }

  @Test func seedsAndStreamsGiveDifferentKeys() {
    var keys: Set<SIMD2<UInt32>> = []
    for seed in 0..<32 {
      for stream in 0..<32 {
        keys.insert(Philox(seed: UInt64(seed), stream: UInt64(stream)).key)
      }
    }
    #expect(keys.count == 32 * 32)
  }

  @Test func streamFollowsTheCounters() {
    let generator = Philox(seed: 5)
    var stream = RandomStream(generator, site: 3, sample: 8, position: 13)
    let drawn = (0..<10).map { _ in stream.nextWord() }
    let expected = (0..<10).map { index in
      generator.words(at: SIMD4(UInt32(index / 4), 13, 8, 3))[index % 4]
    }
    #expect(drawn == expected)
  }

  /// The first four moments of 2²⁰ draws, within five standard deviations of their estimates.
  @Test func uniformMoments() {
    let count = 1 << 20
    var stream = RandomStream(Philox(seed: 1), site: 1)
    var sums = [Double](repeating: 0, count: 5)
    for _ in 0..<count {
      let x = Double(stream.uniform()) - 0.5
      if !(x >= -0.5 && x < 0.5) { Issue.record("\(x + 0.5) lies outside [0, 1)") }
      for (power, value) in [x, x * x, x * x * x, x * x * x * x].enumerated() {
        sums[power + 1] += value
      }
    }
    // E[x²ᵏ] = 1 / ((2k + 1) 4ᵏ); the variance of xᵏ is E[x²ᵏ] − E[xᵏ]².
    func moment(_ power: Int) -> Double {
      power % 2 == 1 ? 0 : 1 / (Double(power + 1) * Double(1 << power))
    }
    for power in 1...4 {
      let variance = moment(2 * power) - moment(power) * moment(power)
      let bound = 5 * (variance / Double(count)).squareRoot()
      #expect(abs(sums[power] / Double(count) - moment(power)) < bound, "moment \(power)")
    }
  }

  @Test func doublesFillTheUnitInterval() {
    var stream = RandomStream(Philox(seed: 2), site: 1)
    var bins = [Int](repeating: 0, count: 16)
    for _ in 0..<160_000 {
      let x = stream.uniformDouble()
      bins[Int(x * 16)] += 1
    }
    // Chi-square with 15 degrees of freedom exceeds 44.3 once in 10,000 times.
    let chiSquare = bins.reduce(0.0) { $0 + (Double($1) - 10_000) * (Double($1) - 10_000) / 10_000 }
    #expect(chiSquare < 44.3)
  }

  @Test func normalMoments() {
    let count = 1 << 20
    let drawn = Tensor.normal(
      [count], standardDeviation: 3, generator: Philox(seed: 3), site: 4
    ).values.map { Double($0) / 3 }
    // E[xᵏ] and its variance for the standard normal distribution.
    let expected: [(moment: Double, variance: Double)] = [(0, 1), (1, 2), (0, 15), (3, 96)]
    for (index, entry) in expected.enumerated() {
      let mean = drawn.reduce(0) { $0 + pow($1, Double(index + 1)) } / Double(count)
      let bound = 5 * (entry.variance / Double(count)).squareRoot()
      #expect(abs(mean - entry.moment) < bound, "moment \(index + 1)")
    }
  }

  @Test(arguments: [0, 1, 2, 8191, 8192, 8193, 20_001])
  func tensorsAreTheSameEveryTime(_ count: Int) {
    let generator = Philox(seed: 9)
    let normal = Tensor.normal([count], standardDeviation: 1, generator: generator, site: 1)
    let longer = Tensor.normal([count + 1], standardDeviation: 1, generator: generator, site: 1)
    #expect(normal.values == Array(longer.values.prefix(count)))
    #expect(normal.values.allSatisfy { $0.isFinite })
    let uniform = Tensor.uniform([count], from: -2, to: 3, generator: generator, site: 1)
    #expect(uniform.values.allSatisfy { $0 >= -2 && $0 < 3 })
    if count > 1 {
      let other = Tensor.normal([count], standardDeviation: 1, generator: generator, site: 2)
      #expect(normal.values != other.values)
    }
  }
}
