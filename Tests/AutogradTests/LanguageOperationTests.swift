import Foundation
import TestSupport
import Testing

@testable import Autograd
@testable import Tensors

/// The operations that language models brought: gradients against finite differences, values against
/// their formulas in double precision.
@Suite struct LanguageOperationTests {
  @Test(arguments: Activation.allCases, [[1], [17], [3, 16], [2, 33]])
  func activations(_ activation: Activation, _ shape: [Int]) {
    // Away from ReLU's corner, where a difference quotient is no derivative.
    let x = randomTensor(shape, seed: 1).mapped { x in
      x + Vector.zero.replacing(with: 0.1, where: x .>= 0).replacing(with: -0.1, where: x .< 0)
    }
    #expect(gradientDifference([x]) { $0[0].activated(activation) } == nil)
    let gate = randomTensor(shape, seed: 2)
    #expect(gradientDifference([gate, x]) { $0[0].gated(by: $0[1], activation) } == nil)
  }

  @Test(arguments: Activation.allCases)
  func activationValues(_ activation: Activation) {
    let x = (-6000...6000).map { Float($0) / 300 } + [-1e4, 1e4, -3e38, 3e38, 0]
    let leaf = Variable.leaf(Tensor(x, shape: [x.count]))
    let y = leaf.activated(activation)
    let gradients = Gradients()
    gradients.addBackward(from: y.sum())
    let slopes = gradients[leaf]!.values
    for ((x, y), slope) in zip(zip(x, y.value.values), slopes) {
      let exact = Self.exact(activation, Double(x))
      #expect(abs(Double(y) - exact) <= 4e-7 * max(1, abs(exact)), "f(\(x)) = \(y), not \(exact)")
      #expect(slope.isFinite && (abs(slope) < 1.2 || abs(x) > 1e4), "f'(\(x)) = \(slope)")
    }
    let broken = Variable(Tensor([.nan, 1], shape: [2])).activated(activation).value.values
    #expect(broken[0].isNaN && broken[1].isFinite, "a broken value must not vanish")
  }

  private static func exact(_ activation: Activation, _ x: Double) -> Double {
    func logistic(_ z: Double) -> Double { 1 / (1 + exp(-z)) }
    switch activation {
    case .relu: return max(0, x)
    case .gelu: return x * 0.5 * erfc(-x / 2.0.squareRoot())
    case .tanhGELU:
      return x * logistic(2 * (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))
    case .quickGELU: return x * logistic(1.702 * x)
    case .silu: return x * logistic(x)
    }
  }

  @Test(arguments: [[1, 1], [3, 16], [4, 33], [2, 64]])
  func rootMeanSquareNorm(_ shape: [Int]) {
    let x = randomTensor(shape, seed: 1)
    let gamma = randomTensor([shape[1]], seed: 2)
    #expect(
      gradientDifference([x, gamma]) {
        $0[0].rootMeanSquareNormalised(gamma: $0[1], epsilon: 1e-2)
      } == nil)
    let y = Variable(x).rootMeanSquareNormalised(gamma: Variable(gamma), epsilon: 1e-6).value.values
    let (values, weights) = (x.values, gamma.values)
    for row in 0..<shape[0] {
      let part = (0..<shape[1]).map { Double(values[row * shape[1] + $0]) }
      let scale = 1 / (part.reduce(0) { $0 + $1 * $1 } / Double(shape[1]) + 1e-6).squareRoot()
      for column in 0..<shape[1] {
        let exact = part[column] * scale * Double(weights[column])
        #expect(abs(Double(y[row * shape[1] + column]) - exact) <= 1e-5 * max(1, abs(exact)))
      }
    }
  }

  @Test(arguments: [RotaryPositions.Pairing.halves, .neighbours], [2, 10, 64])
  func rotaryPositions(_ pairing: RotaryPositions.Pairing, _ headWidth: Int) {
    let positions: [Int32] = [0, 1, 7, 2047]
    let rotation = RotaryPositions(
      positions: positions, headWidth: headWidth, base: 10_000, pairing: pairing)
    let x = randomTensor([4, 3 * headWidth], seed: 1)
    #expect(gradientDifference([x]) { $0[0].rotated(by: rotation) } == nil)
    let (values, y) = (x.values, Variable(x).rotated(by: rotation).value.values)
    let half = headWidth / 2
    for (row, position) in positions.enumerated() {
      for head in 0..<3 {
        for i in 0..<half {
          let (first, second) = pairing == .halves ? (i, i + half) : (2 * i, 2 * i + 1)
          let angle = Double(position) * pow(10_000, -Double(2 * i) / Double(headWidth))
          let start = (row * 3 + head) * headWidth
          let (a, b) = (Double(values[start + first]), Double(values[start + second]))
          // Angles in float32 are only as exact as that.
          let bound = 1e-5 + Double(position) * 1.2e-7 * (abs(a) + abs(b))
          #expect(abs(Double(y[start + first]) - (a * cos(angle) - b * sin(angle))) <= bound)
          #expect(abs(Double(y[start + second]) - (b * cos(angle) + a * sin(angle))) <= bound)
        }
      }
    }
  }
}
