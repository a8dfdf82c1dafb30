import TestSupport
import Testing

@testable import Autograd
@testable import Tensors

/// Every operation's gradient against finite differences, at several shapes, odd ones among them.
@Suite struct OperationGradientTests {
  @Test(arguments: [[1, 1, 1], [3, 5, 2], [2, 17, 33], [7, 4, 16]])
  func linear(_ sizes: [Int]) {
    let (rows, inputs, outputs) = (sizes[0], sizes[1], sizes[2])
    let values = [
      randomTensor([rows, inputs], seed: 1), randomTensor([outputs, inputs], seed: 2),
      randomTensor([outputs], seed: 3),
    ]
    #expect(gradientDifference(values) { $0[0].linear(Weight($0[1]), bias: $0[2]) } == nil)
    #expect(
      gradientDifference(values) { $0[0].linear(Weight($0[1]), bias: $0[2], activation: .gelu) }
        == nil)
    #expect(
      gradientDifference(values) {
        $0[0].linear(Weight($0[1]), bias: $0[2], activation: .quickGELU)
      } == nil)
    #expect(
      gradientDifference(Array(values.prefix(2))) { $0[0].linear(Weight($0[1])) } == nil)
  }

  @Test func frozenWeightPassesGradients() {
    let weight = randomTensor([5, 4], seed: 2)
    let difference = gradientDifference([randomTensor([3, 4], seed: 1)]) {
      $0[0].linear(Weight(frozen: DenseWeight(weight)))
    }
    #expect(difference == nil)
  }

  @Test(arguments: [[1], [17], [3, 16], [2, 33]])
  func elementwise(_ shape: [Int]) {
    let x = randomTensor(shape, seed: 1)
    let y = randomTensor(shape, seed: 2)
    #expect(gradientDifference([x]) { $0[0].activated(.gelu) } == nil)
    #expect(gradientDifference([x]) { $0[0].activated(.quickGELU) } == nil)
    #expect(gradientDifference([x, y]) { $0[0] + $0[1] } == nil)
    #expect(gradientDifference([x]) { $0[0] + $0[0] } == nil)
    #expect(gradientDifference([x]) { $0[0] * 2.5 } == nil)
    #expect(gradientDifference([x]) { $0[0].sum() } == nil)
    #expect(gradientDifference([x]) { $0[0].reshaped([$0[0].value.count]).activated(.gelu) } == nil)
    #expect(gradientDifference([x, Tensor(0.7)]) { $0[0].divided(by: $0[1]) } == nil)
    #expect(
      gradientDifference([x, randomTensor([x.width], seed: 3)]) {
        $0[0].scaledColumns(by: $0[1])
      } == nil)
  }

  @Test func leastValue() {
    #expect(gradientDifference([Tensor(0.5)]) { $0[0].atLeast(0.1) } == nil)
    let low = Variable.leaf(Tensor(-0.5))
    let result = low.atLeast(0.1)
    #expect(result.value.scalar == 0.1)
    let gradients = Gradients()
    gradients.addBackward(from: result)
    // Descent would push the value further down, so nothing passes; a lift passes.
    #expect(gradients[low]?.scalar == 0)
    let lifted = Gradients()
    lifted.addBackward(from: low.atLeast(0.1), weight: -2)
    #expect(lifted[low]?.scalar == -2)
  }

  @Test(arguments: [[1, 1, 1], [3, 4, 5], [17, 2, 16]])
  func products(_ sizes: [Int]) {
    let a = randomTensor([sizes[0], sizes[1]], seed: 1)
    let b = randomTensor([sizes[1], sizes[2]], seed: 2)
    #expect(gradientDifference([a, b]) { $0[0].product($0[1]) } == nil)
    #expect(
      gradientDifference([a, b.transposed()]) { $0[0].product($0[1], .secondTransposed) } == nil)
    #expect(gradientDifference([a]) { $0[0].transposed() } == nil)
  }

  @Test(arguments: [1, 2, 16, 17, 40])
  func layerNorm(_ width: Int) {
    let x = randomTensor([5, width], seed: 1)
    let residual = randomTensor([5, width], seed: 2)
    let gamma = randomTensor([width], seed: 3)
    let beta = randomTensor([width], seed: 4)
    // One value has no variance: there ε decides, and a smooth ε keeps the difference quotient.
    let epsilon: Float = width <= 2 ? 1 : 1e-5
    #expect(
      gradientDifference([x, gamma, beta]) {
        $0[0].layerNormalised(gamma: $0[1], beta: $0[2], epsilon: epsilon)
      } == nil)
    let places = (0..<5).map { RandomPlace(sample: 3, position: UInt32($0)) }
    for dropout in [nil, Dropout(rate: 0.4, generator: Philox(seed: 5), site: 1)] {
      #expect(
        gradientDifference([x, residual, gamma, beta]) {
          $0[0].addedAndNormalised(
            to: $0[1], dropout: dropout, places: places, gamma: $0[2], beta: $0[3],
            epsilon: max(epsilon, 0.1))
        } == nil)
    }
  }

  @Test func rows() {
    let x = randomTensor([6, 5], seed: 1)
    #expect(gradientDifference([x]) { $0[0].rows(2..<5) } == nil)
    #expect(gradientDifference([x]) { $0[0].gatheredRows([5, 0, 0, 3]) } == nil)
    #expect(gradientDifference([x]) { $0[0].gatheredRows([]) } == nil)
    #expect(gradientDifference([x]) { $0[0].meanOfRows(inGroupsOf: 3) } == nil)
    #expect(gradientDifference([x], step: 1e-3) { $0[0].maximumOfRows(inGroupsOf: 2) } == nil)
    #expect(
      gradientDifference([x, randomTensor([1, 5], seed: 2)]) {
        .concatenatedRows([$0[0], $0[1], $0[0]])
      } == nil)
  }

  @Test(arguments: [1, 3, 16, 17])
  func unitRows(_ width: Int) {
    // Away from zero, where the direction of a short row turns too fast for a difference quotient.
    let x = randomTensor([4, width], seed: 1).mapped { $0 + 2 }
    #expect(gradientDifference([x]) { $0[0].unitRows() } == nil)
  }

  @Test(arguments: [1, 2, 16, 31])
  func crossEntropy(_ classes: Int) {
    let logits = randomTensor([3, classes], seed: 1)
    let labels = (0..<3).map { Int32($0 % classes) }
    #expect(gradientDifference([logits]) { $0[0].crossEntropy(classes: labels) } == nil)
    let targets = randomTensor([3, classes], seed: 2).mapped { $0 * $0 }
    #expect(gradientDifference([logits]) { $0[0].crossEntropy(targets: targets) } == nil)
  }

  @Test func dropoutKeepsItsMask() {
    let x = randomTensor([4, 37], seed: 1)
    let places = (0..<4).map { RandomPlace(sample: UInt32($0), position: 9) }
    let dropout = Dropout(rate: 0.3, generator: Philox(seed: 1), site: 2)
    #expect(gradientDifference([x]) { $0[0].dropout(dropout, places: places) } == nil)
  }
}
