import CPlatform
import TestSupport
import Testing

@testable import Tensors

/// Products in int8: exactly those of the rounded numbers, and near those of the numbers themselves.
@Suite struct Int8WeightTests {
  /// Rows, inputs and outputs that fill tiles, panels, quads and vectors, and that do not.
  static let sizes = [
    (1, 1, 1), (2, 5, 3), (6, 16, 16), (7, 33, 70), (13, 64, 64), (41, 130, 129), (193, 47, 50),
    (200, 300, 33),
  ]

  private func apply(
    _ weight: any MatrixWeight, _ x: Operand, rows: Int, bias: Tensor? = nil
  ) -> Tensor {
    Tensor(shape: [rows, weight.outputs]) { weight.apply(to: x, bias: bias, into: .float32($0)) }
  }

  /// Σ over inputs in double precision, `[rows][outputs]`.
  private func sums(_ x: Tensor, _ w: Tensor, _ f: (Double, Double) -> Double) -> [[Double]] {
    let (inputs, xs, ws) = (x.shape[1], x.values, w.values)
    return (0..<x.shape[0]).map { row in
      (0..<w.shape[0]).map { output in
        (0..<inputs).reduce(0) {
          $0 + f(Double(xs[row * inputs + $1]), Double(ws[output * inputs + $1]))
        }
      }
    }
  }

  @Test func quadProductsAreThoseOfThePlainTwin() {
    var generator = SeededGenerator(7)
    for round in 0..<2000 {
      var (a, b) = (SIMD16<Int32>.zero, SIMD16<Int32>.zero)
      for lane in 0..<16 {
        a[lane] = .random(in: .min ... .max, using: &generator)
        b[lane] = .random(in: .min ... .max, using: &generator)
      }
      // The largest products of either sign: 16 bits would not hold the sum of two.
      if round < 4 {
        a = SIMD16(repeating: -1)
        b = SIMD16(repeating: round % 2 == 0 ? Int32(bitPattern: 0x8080_8080) : 0x7f7f_7f7f)
      }
      let sum = SIMD16<Int32>(repeating: Int32(round) * 1000)
      #expect(cplatform_add_quad_products(sum, a, b) == Self.addingQuadProducts(sum, a, b))
    }
  }

  /// Each lane's sum and the products of its bytes, unsigned in `a` and signed in `b`.
  private static func addingQuadProducts(
    _ sum: SIMD16<Int32>, _ a: SIMD16<Int32>, _ b: SIMD16<Int32>
  ) -> SIMD16<Int32> {
    var sum = sum
    for lane in 0..<16 {
      for shift in stride(from: 0, to: 32, by: 8) {
        let x = UInt8(truncatingIfNeeded: a[lane] >> shift)
        sum[lane] += Int32(x) * Int32(Int8(truncatingIfNeeded: b[lane] >> shift))
      }
    }
    return sum
  }

  /// Whole numbers of at most 127 are rounded to themselves, so that nothing is lost.
  @Test(arguments: sizes)
  func wholeNumbersAreMultipliedExactly(rows: Int, inputs: Int, outputs: Int) {
    func whole(_ shape: [Int], seed: UInt64) -> Tensor {
      var values = randomTensor(shape, seed: seed, deviation: 40).values
        .map { max(-127, min(127, $0)).rounded() }
      for row in 0..<shape[0] { values[row * shape[1]] = row % 2 == 0 ? 127 : -127 }
      return Tensor(values, shape: shape)
    }
    let (x, w) = (whole([rows, inputs], seed: 1), whole([outputs, inputs], seed: 2))
    let weight = Int8Weight(DenseWeight(w))
    #expect(weight.expanded().values == w.values)
    let exact = sums(x, w, *).flatMap { $0 }.map(Float.init)
    #expect(apply(weight, .float32(x), rows: rows).values == exact)
  }

  /// x = x̂ + e, |e| ≤ sx / 2, and so for w: the error is Σ (e · w + x̂ · f), with |x̂| ≤ |x| + sx / 2.
  @Test(arguments: sizes)
  func resultsAreWithinTheBoundOfRounding(rows: Int, inputs: Int, outputs: Int) {
    let (x, w) = (randomTensor([rows, inputs], seed: 1), randomTensor([outputs, inputs], seed: 2))
    let bias = randomTensor([outputs], seed: 3)
    let weight = Int8Weight(DenseWeight(w))
    let rounded = Operand.bfloat16(Operand.float32(x).rounded)
    for (factor, x) in [(Operand.float32(x), x), (rounded, rounded.tensor(x.shape))] {
      let found = apply(weight, factor, rows: rows, bias: bias).values
      let expected = sums(x, w, *)
      let (sizesOfX, sizesOfW) = (sums(x, w) { x, _ in abs(x) }, sums(x, w) { _, w in abs(w) })
      for row in 0..<rows {
        let scaleX = largest(x, row) / 127
        for output in 0..<outputs {
          let scaleW = largest(w, output) / 127
          let bound =
            scaleX / 2 * sizesOfW[row][output]
            + scaleW / 2 * (sizesOfX[row][output] + Double(inputs) * scaleX / 2)
          let y = expected[row][output] + Double(bias.values[output])
          let error = abs(Double(found[row * outputs + output]) - y)
          #expect(error <= bound * 1.0001 + 1e-5, "\(row) \(output)")
        }
      }
      let narrow = BFloat16Matrix(rows: rows, columns: outputs) {
        weight.apply(to: factor, bias: bias, into: .bfloat16($0))
      }
      let wide = Tensor(found, shape: [rows, outputs])
      #expect(difference(narrow.expanded(wide.shape), wide, relative: 4e-3) == nil)
    }
  }

  private func largest(_ x: Tensor, _ row: Int) -> Double {
    x.rows(row..<row + 1).values.reduce(0) { max($0, Double(abs($1))) }
  }

  /// Such a row must not pass for numbers, nor spoil the others.
  @Test func rowsThatAreNotFinite() {
    let (inputs, outputs) = (37, 70)
    var values = randomTensor([6, inputs], seed: 1).values
    let clean = Tensor(values, shape: [6, inputs])
    values[1 * inputs + 3] = .nan
    values[2 * inputs + 36] = .infinity
    values[3 * inputs + 16] = -.infinity
    for i in 0..<inputs { values[4 * inputs + i] = 0 }
    let weight = Int8Weight(DenseWeight(randomTensor([outputs, inputs], seed: 2)))
    let bias = randomTensor([outputs], seed: 3)
    let found = apply(weight, .float32(Tensor(values, shape: [6, inputs])), rows: 6, bias: bias)
    let expected = apply(weight, .float32(clean), rows: 6, bias: bias)
    for row in 1...3 { #expect(found.rows(row..<row + 1).values.allSatisfy { $0.isNaN }) }
    #expect(found.rows(4..<5).values == bias.values)
    for row in [0, 5] {
      #expect(found.rows(row..<row + 1).values == expected.rows(row..<row + 1).values)
    }
  }

  @Test func numbersOfAnySize() {
    let (x, w) = (randomTensor([3, 40], seed: 1), randomTensor([20, 40], seed: 2))
    for (factor, tolerance): (Float, Float) in [(1e-30, 0.02), (1e-3, 0.02), (1e30, 0.02)] {
      let found = apply(
        Int8Weight(DenseWeight(w)), .float32(x.mapped { $0 * factor }), rows: 3)
      let plain = apply(DenseWeight(w), .float32(x), rows: 3)
      #expect(difference(found.mapped { $0 / factor }, plain, relative: tolerance) == nil)
    }
    let least = Tensor([Float](repeating: .leastNonzeroMagnitude, count: 120), shape: [3, 40])
    let found = apply(Int8Weight(DenseWeight(w)), .float32(least), rows: 3)
    #expect(found.values.allSatisfy { abs($0) < 1e-30 })
  }

  /// A part begins at a panel, or is copied.
  @Test func partsAndRowsAreThoseOfTheWhole() {
    let (x, w) = (randomTensor([9, 35], seed: 1), randomTensor([200, 35], seed: 2))
    let weight = Int8Weight(DenseWeight(w))
    let whole = apply(weight, .float32(x), rows: 9).values
    for range in [0..<200, 64..<128, 128..<200, 70..<75, 3..<190] {
      let part = weight.outputs(range)
      let found = apply(part, .float32(x), rows: 9).values
      for row in 0..<9 {
        #expect(
          Array(found[row * range.count..<(row + 1) * range.count])
            == Array(whole[(row * 200 + range.lowerBound)..<(row * 200 + range.upperBound)]))
      }
      #expect(part.expanded().values == weight.expanded().rows(range).values)
      let inner = part.outputs(1..<range.count)
      #expect(
        inner.rows([2, 0]).values
          == weight.rows([Int32(range.lowerBound + 3), Int32(range.lowerBound + 1)]).values)
    }
    #expect(difference(weight.expanded(), w, relative: 0.5 / 127 * 1.0001) == nil)
  }

  @Test func gradientsPassThroughTheRoundedWeight() {
    let weight = Int8Weight(DenseWeight(randomTensor([70, 33], seed: 1)))
    let dy = randomTensor([9, 70], seed: 2)
    let found = Tensor(shape: [9, 33]) {
      weight.applyTransposed(to: .float32(dy), into: .float32($0), beta: 0)
    }
    let plain = Tensor(shape: [9, 33]) {
      DenseWeight(weight.expanded()).applyTransposed(
        to: .float32(dy), into: .float32($0), beta: 0)
    }
    #expect(difference(found, plain, relative: 1e-2) == nil)
  }
}
