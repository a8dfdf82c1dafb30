import Foundation
import TestSupport
import Testing

@testable import Autograd
@testable import Tensors

/// Values of fused operations against the formulas in double precision.
@Suite struct OperationValueTests {
  /// Logits of ordinary and of extreme size, at awkward widths.
  @Test(arguments: [1, 2, 15, 16, 17, 100, 1000], [Float(1), 30, 1e4, 1e30])
  func crossEntropy(_ classes: Int, deviation: Float) {
    let rows = 5
    let logits = randomTensor([rows, classes], seed: 1, deviation: deviation)
    let labels = (0..<rows).map { Int32($0 * 7 % classes) }
    for smoothing in [Float(0), 0.1] {
      var (expected, size) = (0.0, 0.0)
      for row in 0..<rows {
        let z = logits.rows(row..<row + 1).values.map(Double.init)
        let highest = z.max()!
        let logSum = highest + log(z.reduce(0) { $0 + exp($1 - highest) })
        let mean = z.reduce(0, +) / Double(classes)
        let s = Double(smoothing)
        let term = logSum - (1 - s) * z[Int(labels[row])] - s * mean
        expected += term / Double(rows)
        size += abs(term) / Double(rows)
      }
      let targets = LinearCrossEntropyTests.targets(labels, classes: classes, smoothing: smoothing)
      let loss = Variable(logits).crossEntropy(targets: targets)
      let text = difference(
        loss.value, Tensor(Float(expected)), relative: 1e-6, absolute: 1e-6 + 1e-6 * Float(size))
      #expect(text == nil, "label smoothing \(smoothing)")
      // With and without a gradient the value is the same.
      let recorded = Variable.leaf(logits).crossEntropy(targets: targets)
      #expect(recorded.value.scalar == loss.value.scalar)
    }
  }

  /// The gradient of large logits is the difference of two distributions, and finite.
  @Test func crossEntropyGradientOfLargeLogits() {
    let logits = Variable.leaf(Tensor([1e30, -1e30, 0, 5, 1000, 999], shape: [2, 3]))
    let gradients = Gradients()
    gradients.addBackward(from: logits.crossEntropy(classes: [0, 2]))
    let p = 1 / (1 + exp(Float(-1)))
    let expected = Tensor([0, 0, 0, 0, p / 2, (1 - p - 1) / 2], shape: [2, 3])
    #expect(difference(gradients[logits]!, expected, relative: 1e-6) == nil)
  }

  /// A loss that is not a number must show: training has to stop on it.
  @Test(arguments: [0, 3, 16, 19])
  func brokenLogitsShow(_ place: Int) {
    for value in [Float.nan, .infinity] {
      var values = [Float](repeating: 0.5, count: 20)
      values[place] = value
      let loss = Variable(Tensor(values, shape: [1, 20])).crossEntropy(classes: [1])
      #expect(!loss.value.scalar.isFinite, "\(value) at \(place)")
    }
  }

  @Test func gelu() {
    let x = (-60_000...60_000).map { Float($0) / 6000 } + [-1e4, 1e4, -3e38, 3e38, 0]
    let y = Variable(Tensor(x, shape: [x.count])).activated(.gelu).value.values
    var worst = 0.0
    for (x, y) in zip(x, y) {
      // erfc keeps the small values of the left tail.
      let exact = Double(x) * 0.5 * erfc(-Double(x) / 2.0.squareRoot())
      worst = max(worst, abs(Double(y) - exact) / max(1, abs(exact)))
    }
    #expect(worst < 1.5e-7, "error \(worst)")
  }

  /// All numbers of bfloat16 up to a thousand, whose results are rounded to it: the error is less than a
  /// rounding where results are not small, and small where they are.
  @Test func geluOfRoundedValues() {
    let x = (0...UInt16.max).map { Float(bitPattern: UInt32($0) << 16) }.filter { abs($0) <= 1000 }
    for start in stride(from: 0, to: x.count - 15, by: 16) {
      let lanes = Vector(x[start..<start + 16])
      let (values, slopes) = (GELU.roundedValue(lanes), GELU.roundedDerivative(lanes))
      for (lane, x) in x[start..<start + 16].enumerated() {
        let x = Double(x)
        let share = 0.5 * erfc(-x / 2.squareRoot())
        #expect(abs(Double(values[lane]) - x * share) < 5e-6 + 3e-7 * abs(x), "\(x)")
        let slope = share + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
        #expect(abs(Double(slopes[lane]) - slope) < 1e-5, "\(x)")
      }
    }
    #expect(GELU.roundedValue(Vector(repeating: .nan))[0].isNaN)
  }

  @Test func quickGELU() {
    let x = (-60_000...60_000).map { Float($0) / 2000 } + [-1e4, 1e4, -3e38, 3e38, 0]
    let leaf = Variable.leaf(Tensor(x, shape: [x.count]))
    let y = leaf.activated(.quickGELU)
    let gradients = Gradients()
    gradients.addBackward(from: y.sum())
    var (worst, worstSlope) = (0.0, 0.0)
    for ((x, y), slope) in zip(zip(x, y.value.values), gradients[leaf]!.values) {
      let z = 1.702 * Double(x)
      let share = 1 / (1 + exp(-z))
      let exact = share == 0 ? 0 : Double(x) * share
      worst = max(worst, abs(Double(y) - exact) / max(1, abs(exact)))
      let exactSlope = share + (abs(z) > 700 ? 0 : z * share * (1 - share))
      worstSlope = max(worstSlope, abs(Double(slope) - exactSlope))
    }
    #expect(worst < 3e-7, "error \(worst)")
    #expect(worstSlope < 3e-7, "error \(worstSlope) of the derivative")
    let broken = Variable(Tensor([.nan, 1], shape: [2])).activated(.quickGELU).value.values
    #expect(broken[0].isNaN && broken[1].isFinite, "a broken value must not vanish")
  }

  /// Fused with a linear map, the activations give what they give by themselves.
  @Test func linearMapsWithActivations() {
    let x = Variable(randomTensor([7, 19], seed: 1, deviation: 2))
    let weight = Weight(Variable(randomTensor([33, 19], seed: 2)))
    let bias = Variable(randomTensor([33], seed: 3))
    let h = x.linear(weight, bias: bias)
    #expect(
      x.linear(weight, bias: bias, activation: .gelu).value.values
        == h.activated(.gelu).value.values)
    #expect(
      x.linear(weight, bias: bias, activation: .quickGELU).value.values
        == h.activated(.quickGELU).value.values)
  }

  @Test(arguments: [1, 3, 16, 17, 64, 768, 1408])
  func layerNorm(_ width: Int) {
    let rows = 4
    // Rows far from zero, as features are, and one of equal values.
    var values = randomTensor([rows, width], seed: 1, deviation: 3).values.map { $0 + 5 }
    for column in 0..<width { values[3 * width + column] = 2.5 }
    let x = Tensor(values, shape: [rows, width])
    let gamma = randomTensor([width], seed: 2)
    let beta = randomTensor([width], seed: 3)
    for epsilon in [Float(1e-12), 1e-5] {
      let y = Variable(x).layerNormalised(
        gamma: Variable(gamma), beta: Variable(beta), epsilon: epsilon
      ).value
      // One value, or equal ones, have no variance: the result is β, whatever ε is.
      var expected: [Float] = []
      for row in 0..<rows {
        let z = values[row * width..<(row + 1) * width].map(Double.init)
        let mean = z.reduce(0, +) / Double(width)
        let variance = z.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
        let scale = 1 / (variance + Double(epsilon)).squareRoot()
        for column in 0..<width {
          expected.append(
            Float(
              (z[column] - mean) * scale * Double(gamma.values[column])
                + Double(beta.values[column])))
        }
      }
      let text = difference(y, Tensor(expected, shape: [rows, width]), relative: 1e-6)
      #expect(text == nil, "ε \(epsilon)")
    }
  }

  @Test func sumOfDropoutAndResidual() {
    let shape = [5, 33]
    let (x, residual) = (randomTensor(shape, seed: 1), randomTensor(shape, seed: 2))
    let (gamma, beta) = (randomTensor([33], seed: 3), randomTensor([33], seed: 4))
    let places = (0..<5).map { RandomPlace(sample: 3, position: UInt32($0)) }
    let dropout = Dropout(rate: 0.4, generator: Philox(seed: 5), site: 1)
    let fused = Variable(x).addedAndNormalised(
      to: Variable(residual), dropout: dropout, places: places, gamma: Variable(gamma),
      beta: Variable(beta), epsilon: 1e-6)
    let parts = (Variable(x).dropout(dropout, places: places) + Variable(residual))
      .layerNormalised(gamma: Variable(gamma), beta: Variable(beta), epsilon: 1e-6)
    #expect(difference(fused.value, parts.value, relative: 1e-6) == nil)
  }
}
