import Foundation
import TestSupport
import Testing

@testable import Autograd
@testable import Tensors

/// The fused loss of a linear map's outputs against the map and then the loss.
@Suite struct LinearCrossEntropyTests {
  /// The distributions of label smoothing, `[labels, classes]`.
  static func targets(_ labels: [Int32], classes: Int, smoothing: Float) -> Tensor {
    let values = labels.flatMap { label in
      (0..<classes).map { number -> Float in
        smoothing / Float(classes) + (number == Int(label) ? 1 - smoothing : 0)
      }
    }
    return Tensor(values, shape: [labels.count, classes])
  }

  /// The mean loss in double precision: sums over many classes lose digits in float32.
  private static func loss(_ logits: Tensor, _ labels: [Int32], smoothing: Double) -> Tensor {
    let losses = labels.enumerated().map { row, label in
      let z = logits.rows(row..<row + 1).values.map(Double.init)
      let highest = z.max() ?? 0
      let logSum = highest + log(z.reduce(0) { $0 + exp($1 - highest) })
      let mean = z.reduce(0, +) / Double(z.count)
      return logSum - (1 - smoothing) * z[Int(label)] - smoothing * mean
    }
    return Tensor(Float(losses.reduce(0, +) / Double(losses.count)))
  }

  @Test(arguments: [[1, 1, 1], [3, 5, 2], [2, 17, 33], [5, 3, 16]], [Float(0), 0.1])
  func gradients(_ sizes: [Int], smoothing: Float) {
    let (rows, inputs, classes) = (sizes[0], sizes[1], sizes[2])
    let labels = (0..<rows).map { Int32($0 * 5 % classes) }
    let values = [
      randomTensor([rows, inputs], seed: 1), randomTensor([classes, inputs], seed: 2),
      randomTensor([classes], seed: 3),
    ]
    #expect(
      gradientDifference(values) {
        $0[0].linearCrossEntropy(
          Weight($0[1]), bias: $0[2], classes: labels, labelSmoothing: smoothing)
      } == nil)
    #expect(
      gradientDifference(Array(values.prefix(2))) {
        $0[0].linearCrossEntropy(Weight($0[1]), classes: labels, labelSmoothing: smoothing)
      } == nil)
  }

  enum Kind: CaseIterable {
    case trained, trainedInBFloat16, frozen, frozenInBFloat16, stored

    var isRounded: Bool { self == .trainedInBFloat16 || self == .frozenInBFloat16 }

    func weight(_ variable: Variable) -> Weight {
      switch self {
      case .trained: return Weight(variable)
      case .trainedInBFloat16: return Weight(variable, in: .bfloat16)
      case .frozen: return Weight(frozen: DenseWeight(variable.value))
      case .frozenInBFloat16:
        return Weight(frozen: BFloat16Weight(DenseWeight(variable.value)))
      case .stored:
        let bytes = variable.value.read {
          [UInt8](UnsafeRawBufferPointer(start: $0, count: variable.value.count * 4))
        }
        let owner = StoredBytes(bytes)
        return Weight(
          frozen: StoredWeight(
            bytes: UnsafeRawBufferPointer(owner.buffer), format: .float32,
            outputs: variable.shape[0], inputs: variable.shape[1], owner: owner))
      }
    }
  }

  /// 70 rows of 70,000 classes are two chunks.
  @Test(arguments: Kind.allCases, [[1, 20, 7], [5, 17, 33], [150, 16, 100], [70, 6, 70_000]])
  func equalsTheMapAndThenTheLoss(_ kind: Kind, _ sizes: [Int]) {
    let (rows, inputs, classes) = (sizes[0], sizes[1], sizes[2])
    let labels = (0..<rows).map { Int32($0 * 7919 % classes) }
    let targets = Self.targets(labels, classes: classes, smoothing: 0.1)
    for hasBias in [true, false] {
      let results = [true, false].map { isFused -> [Tensor] in
        let x = Variable.leaf(randomTensor([rows, inputs], seed: 1))
        let table = Variable.leaf(randomTensor([classes, inputs], seed: 2))
        let bias = hasBias ? Variable.leaf(randomTensor([classes], seed: 3)) : nil
        let gradients = Gradients()
        func pass(_ weight: Float) -> Tensor {
          let logits = isFused ? nil : x.linear(kind.weight(table), bias: bias)
          let loss =
            logits?.crossEntropy(targets: targets)
            ?? x.linearCrossEntropy(
              kind.weight(table), bias: bias, classes: labels, labelSmoothing: 0.1)
          gradients.addBackward(from: loss, weight: weight)
          return logits?.value ?? loss.value
        }
        // Twice, as with accumulated micro-batches.
        _ = pass(0.25)
        let result = pass(1)
        let loss = isFused ? result : Self.loss(result, labels, smoothing: 0.1)
        return [loss]
          + [x, table, bias].map { $0.flatMap { gradients[$0] } ?? .zeros([1]) }
      }
      #expect(difference(results[0][0], results[1][0], relative: 1e-6) == nil)
      for (found, expected) in zip(results[0], results[1]).dropFirst() {
        let relative: Float = kind.isRounded ? 1e-2 : 1e-5
        #expect(difference(found, expected, relative: relative) == nil, "bias \(hasBias)")
      }
      let isTrained = kind == .trained || kind == .trainedInBFloat16
      #expect((results[0][2].count > 1) == isTrained, "a frozen table has no gradient")
    }
  }

  /// A map that leaves the numbers as they are.
  private func identity(_ size: Int) -> Weight {
    Weight(
      frozen: DenseWeight(
        Tensor((0..<size * size).map { $0 % (size + 1) == 0 ? 1 : 0 }, shape: [size, size])))
  }

  /// Logits of ordinary and of extreme size, at awkward widths.
  @Test(arguments: [1, 2, 15, 16, 17, 100, 1000], [Float(1), 30, 1e4, 1e30])
  func valuesOfAllSizes(_ classes: Int, deviation: Float) {
    let logits = randomTensor([5, classes], seed: 1, deviation: deviation)
    let labels = (0..<5).map { Int32($0 * 7 % classes) }
    for smoothing in [Float(0), 0.1] {
      let expected = Variable(logits).crossEntropy(
        targets: Self.targets(labels, classes: classes, smoothing: smoothing)
      ).value
      for x in [Variable(logits), Variable.leaf(logits)] {
        let loss = x.linearCrossEntropy(
          identity(classes), classes: labels, labelSmoothing: smoothing)
        #expect(difference(loss.value, expected, relative: 2e-6) == nil, "\(smoothing)")
      }
    }
  }

  /// A loss that is not a number must show: training has to stop on it.
  @Test(arguments: [0, 3, 16, 19])
  func brokenLogitsShow(_ place: Int) {
    for value in [Float.nan, .infinity] {
      var values = [Float](repeating: 0.5, count: 20)
      values[place] = value
      let loss = Variable(Tensor(values, shape: [1, 20]))
        .linearCrossEntropy(identity(20), classes: [1])
      #expect(!loss.value.scalar.isFinite, "\(value) at \(place)")
    }
  }
}

/// Bytes that a weight keeps alive.
private final class StoredBytes: @unchecked Sendable {
  let buffer: UnsafeMutableRawBufferPointer
  init(_ bytes: [UInt8]) {
    buffer = .allocate(byteCount: bytes.count, alignment: 64)
    buffer.copyBytes(from: bytes)
  }
  deinit { buffer.deallocate() }
}
