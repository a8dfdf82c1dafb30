import Glibc
import Testing

@testable import Tensors

/// The vector functions against the C library's in double precision, over dense grids.
@Suite struct VectorMathTests {
  @Test func squareRootsAreThoseOfTheLanes() {
    for start: Float in [0, 0x1p-140, 1e-20, 0.3, 2, 1e30, .infinity] {
      let x = Vector((0..<16).map { start * (1 + 0.37 * Float($0)) })
      #expect(x.squareRoots == x.squareRoot(), "\(start)")
    }
  }

  /// Applies a function of vectors to values, sixteen at a time.
  private func mapped(_ x: [Float], _ f: (Vector) -> Vector) -> [Float] {
    var y = [Float](repeating: 0, count: x.count)
    mapVectors(x, into: &y, count: x.count, f)
    return y
  }

  /// Evenly spaced values, with neighbours of the ends.
  private func grid(_ low: Float, _ high: Float, count: Int) -> [Float] {
    (0..<count).map { low + (high - low) * Float($0) / Float(count - 1) }
  }

  @Test func exponentialIsAccurate() {
    let x = grid(-87.2, 88.2, count: 2_000_001) + grid(-1, 1, count: 1_000_001) + [0, -0.0]
    let y = mapped(x) { $0.exponential() }
    var worst = 0.0
    for (x, y) in zip(x, y) {
      let exact = exp(Double(x))
      worst = max(worst, abs(Double(y) - exact) / exact)
    }
    #expect(worst < 1.3e-7, "relative error \(worst)")
  }

  @Test func exponentialAtTheEnds() {
    let y = mapped([0, -0.0, -88, -104, -1000, -.infinity, 89, 1000, .infinity]) {
      $0.exponential()
    }
    #expect(y[0] == 1 && y[1] == 1)
    // Below the range: nothing that a sum of probabilities would notice.
    #expect(y[2...5].allSatisfy { $0 >= 0 && $0 < 2e-38 })
    // Above it: very large, and finite, so that no 0 · ∞ arises.
    #expect(y[6...8].allSatisfy { $0 > 1e38 })
    // A broken value must not vanish, whichever of the many NaNs it is.
    for bits: UInt32 in [0x7fc0_0000, 0xffc0_0000, 0x7fc0_0001, 0x7fff_ffff, 0xffff_ffff] {
      #expect(mapped([Float(bitPattern: bits)]) { $0.exponential() }[0].isNaN)
    }
  }

  @Test func roundedExponentialIsAccurateEnough() {
    let x = grid(-87.2, 88, count: 1_000_001) + grid(-1, 1, count: 1_000_001) + [0, -0.0]
    let worst = zip(x, mapped(x) { $0.roundedExponential() })
      .map { abs(Double($1) / exp(Double($0)) - 1) }.max()
    #expect(worst! < 7e-6, "relative error \(worst!)")
    let ends = mapped([-88, -104, -1000, -.infinity]) { $0.roundedExponential() }
    #expect(ends.allSatisfy { $0 >= 0 && $0 < 2e-38 })
    for bits: UInt32 in [0x7fc0_0000, 0xffc0_0000, 0x7fff_ffff, 0xffff_ffff] {
      #expect(mapped([Float(bitPattern: bits)]) { $0.roundedExponential() }[0].isNaN)
    }
  }

  @Test func errorFunctionIsAccurate() {
    let x =
      grid(-4.5, 4.5, count: 2_000_001) + grid(0.92, 0.94, count: 200_001)
      + grid(-1e-3, 1e-3, count: 10_001)
    let y = mapped(x) { $0.errorFunction() }
    var worst = 0.0
    var worstRelative = 0.0
    for (x, y) in zip(x, y) {
      let exact = erf(Double(x))
      worst = max(worst, abs(Double(y) - exact))
      if exact != 0 { worstRelative = max(worstRelative, abs((Double(y) - exact) / exact)) }
      if !(abs(y) <= 1) { Issue.record("erf(\(x)) = \(y)") }
    }
    #expect(worst < 1e-7, "absolute error \(worst)")
    #expect(worstRelative < 1.2e-7, "relative error \(worstRelative)")
  }

  @Test func errorFunctionAtTheEnds() {
    let large: [Float] = [4.5, 10, 1e4, 1e19, 3e38, .infinity]
    #expect(mapped(large) { $0.errorFunction() }.allSatisfy { $0 == 1 })
    #expect(mapped(large.map { -$0 }) { $0.errorFunction() }.allSatisfy { $0 == -1 })
    #expect(mapped([0]) { $0.errorFunction() } == [0])
    #expect(mapped([.nan]) { $0.errorFunction() }[0].isNaN, "a broken value must not vanish")
  }

  @Test func logisticIsAccurate() {
    let x = grid(-86.9, 100, count: 2_000_001) + grid(-2, 2, count: 200_001) + [0, -0.0]
    let y = mapped(x) { $0.logistic() }
    var worst = 0.0
    for (x, y) in zip(x, y) {
      let exact = 1 / (1 + exp(-Double(x)))
      worst = max(worst, abs(Double(y) - exact) / exact)
    }
    #expect(worst < 3e-7, "relative error \(worst)")
    #expect(
      mapped([-88, -3e38, -.infinity, 3e38, .infinity]) { $0.logistic() } == [0, 0, 0, 1, 1])
    #expect(mapped([.nan]) { $0.logistic() }[0].isNaN, "a broken value must not vanish")
  }

  @Test(arguments: [1, 2, 15, 16, 17, 31, 32, 33, 100])
  func sumsAndMaxima(_ count: Int) {
    // Small whole numbers: every sum is exact.
    let x = (0..<count).map { Float(($0 * 7) % 11) - 5 }
    let y = (0..<count).map { Float(($0 * 5) % 13) - 6 }
    #expect(sumVectors(x, count: count) { $0 } == x.reduce(0, +))
    #expect(sumVectors(x, y, count: count) { $0 * $1 } == zip(x, y).reduce(0) { $0 + $1.0 * $1.1 })
    // Lanes beyond the end count for nothing even where f(0) is not 0.
    #expect(sumVectors(x, count: count) { $0 + 1 } == x.reduce(Float(count), +))
    for place in 0..<count {
      var z = x
      z[place] = 100
      #expect(maximumOfVectors(z, count: count) == 100)
      z = z.map { -100 - abs($0) }
      #expect(maximumOfVectors(z, count: count) == z.max())
    }
    #expect(maximumOfVectors(x, count: 0) == -.infinity)
  }
}
