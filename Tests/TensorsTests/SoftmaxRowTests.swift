import Foundation
import TestSupport
import Testing

@testable import Tensors

/// One row of softmax against the formula in double precision.
@Suite struct SoftmaxRowTests {
  private static let scale: Float = 0.37
  private static let dropout = Dropout(rate: 0.3, generator: Philox(seed: 2), site: 5)
  private static let place = RandomPlace(sample: 3, position: 8)

  private func row(_ visible: Int, isScaled: Bool = false, _ dropout: Dropout?) -> SoftmaxRow {
    SoftmaxRow(
      visible: visible, length: SoftmaxRow.length(visible + 20), scale: Self.scale,
      isScaled: isScaled, dropout: dropout, place: Self.place)
  }

  /// What dropout multiplies the first numbers of the row with.
  private func factors(_ count: Int, _ dropout: Dropout?) -> [Double] {
    var row = [Float](repeating: 1, count: count)
    let ones = row
    dropout?.apply(to: &row, from: ones, count: count, place: Self.place)
    return row.map(Double.init)
  }

  /// Scores, and beyond the visible ones what products leave there.
  private func scores(_ row: SoftmaxRow) -> [Float] {
    var s = randomTensor([row.length], seed: UInt64(row.visible)).values.map { 5 * $0 }
    for place in row.visible..<row.length { s[place] = .nan }
    return s
  }

  private func probabilities(_ s: [Float], _ visible: Int, scale: Float) -> [Double] {
    let e = s.prefix(visible).map { exp(Double($0) * Double(scale)) }
    return e.map { $0 / e.reduce(0, +) }
  }

  private static let lengths = [1, 15, 16, 17, 31, 129, 300]

  @Test(arguments: lengths, [nil, dropout])
  func exponentials(_ visible: Int, _ dropout: Dropout?) {
    for isScaled in [false, true] {
      let row = row(visible, isScaled: isScaled, dropout)
      var s = scores(row)
      let p = probabilities(s, visible, scale: isScaled ? 1 : Self.scale)
      var (e, undropped, dropped) = (s, s, s)
      let sums = row.exponentials(of: &s, into: &e)
      #expect(row.exponentials(of: &s, into: &undropped, drops: false).sum == sums.sum)
      for (place, factor) in factors(visible, dropout).enumerated() {
        let found = Double(e[place] / sums.sum * (dropout?.scale ?? 1))
        #expect(abs(found - p[place] * factor) < 1e-5)
        #expect(abs(Double(undropped[place] / sums.sum) - p[place]) < 1e-5)
      }
      #expect(e.dropFirst(visible).allSatisfy { $0 == 0 })
      if dropout != nil {
        let kept = row.drop(&undropped, into: &dropped)
        #expect(dropped == e && abs(kept - e.reduce(0, +)) < 1e-4 * (1 + kept))
      }
    }
  }

  /// From scores, where p and ds take their place, and from kept exponentials.
  @Test(arguments: lengths, [nil, dropout])
  func gradients(_ visible: Int, _ dropout: Dropout?) {
    let row = row(visible, dropout)
    var s = scores(row)
    let p = probabilities(s, visible, scale: Self.scale)
    let factors = factors(visible, dropout)
    let logSum = log(s.prefix(visible).reduce(0.0) { $0 + exp(Double($1 * Self.scale)) })
    var dp = randomTensor([row.length], seed: 7).values
    let delta = (0..<visible).reduce(0.0) { $0 + p[$1] * factors[$1] * Double(dp[$1]) }
    let expected = (0..<visible).map {
      Double(Self.scale) * p[$0] * (factors[$0] * Double(dp[$0]) - delta)
    }
    var kept = p.map { Float($0 * 3) } + [Float](repeating: 0, count: row.length - visible)
    var ds = [Float](repeating: .nan, count: row.length)
    row.gradients(
      exponentials: &kept, inverse: 1.0 / 3, dp: &dp, delta: Float(delta), into: &ds)
    s.withUnsafeMutableBufferPointer { s in
      dp.withUnsafeMutableBufferPointer { dp in
        row.gradients(
          scores: s.baseAddress!, logSum: Float(logSum), dp: dp.baseAddress!, delta: Float(delta),
          into: s.baseAddress!, dp.baseAddress!)
      }
    }
    for place in 0..<visible {
      #expect(abs(Double(s[place]) - p[place] * factors[place]) < 1e-5)
      #expect(abs(Double(dp[place]) - expected[place]) < 1e-5)
      #expect(abs(Double(ds[place]) - expected[place]) < 1e-5)
    }
    for line in [s, dp, ds] { #expect(line.dropFirst(visible).allSatisfy { $0 == 0 }) }
  }
}
