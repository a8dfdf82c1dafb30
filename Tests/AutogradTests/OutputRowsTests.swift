import TestSupport
import Testing

@testable import Autograd
@testable import Layers
@testable import Tensors

/// Attention in which only some rows look gives those rows what they get where all look.
@Suite struct ReadRowsTests {
  /// Three queries and five tokens that see themselves and earlier ones, then four that see all.
  static let layout = AttentionLayout(groups: [
    .init(
      queries: [
        .init(rows: 0..<3, visibleKeys: 3, place: RandomPlace(sample: 4, position: 0)),
        .init(
          rows: 3..<8, visibleKeys: 4, isCausal: true, place: RandomPlace(sample: 4, position: 3)),
      ], keys: [0..<3, 3..<8]),
    .init(
      queries: [.init(rows: 8..<12, visibleKeys: 4, place: RandomPlace(sample: 5, position: 0))],
      keys: [8..<12]),
  ])

  static let choices: [[Range<Int>]] = [
    [0..<12], [0..<3], [3..<8], [11..<12], [7..<9], [1..<2, 4..<6, 7..<8, 9..<11], [0..<0, 6..<7],
  ]

  @Test(arguments: choices, [ProductPrecision.float32, .bfloat16])
  func attentionAndItsGradients(_ runs: [Range<Int>], _ precision: ProductPrecision) {
    let read = OutputRows(runs)
    let values = (1...3).map { randomTensor([12, 32], seed: $0) }
    let dropout = Dropout(rate: 0.4, generator: Philox(seed: 3), site: 2)
    let options = AttentionOptions(headCount: 2, scale: 0.25, dropout: dropout)
    // A map of ones and zeros leaves the numbers alone and gives them the precision.
    let identity = Weight(
      Variable(Tensor((0..<1024).map { $0 % 33 == 0 ? 1 : 0 }, shape: [32, 32])), in: precision)

    func pass(_ isCut: Bool) -> (output: Tensor, gradients: [Tensor]) {
      let leaves = values.map { Variable.leaf($0) }
      let queries = isCut ? read.of(leaves[0]) : leaves[0]
      let output = queries.linear(identity, inComputePrecision: true).attention(
        keys: leaves[1].linear(identity, inComputePrecision: true),
        values: leaves[2].linear(identity, inComputePrecision: true),
        layout: isCut ? read.of(Self.layout) : Self.layout, options: options)
      let chosen = isCut ? output.reshaped([read.count, 32]) : output.gatheredRows(read.indices)
      let gradients = Gradients()
      gradients.addBackward(from: chosen, gradient: randomTensor([read.count, 32], seed: 9))
      return (chosen.value, leaves.map { gradients[$0] ?? .zeros([12, 32]) })
    }
    let (cut, whole) = (pass(true), pass(false))
    let relative: Float = precision == .float32 ? 1e-5 : 1e-2
    #expect(difference(cut.output, whole.output, relative: relative) == nil)
    for (first, second) in zip(cut.gradients, whole.gradients) {
      #expect(difference(first, second, relative: relative) == nil)
    }
  }

  @Test func rowsAndElements() {
    let read = OutputRows([1..<2, 2..<4, 4..<4, 6..<7])
    #expect(read.runs == [1..<4, 6..<7])
    #expect(read.count == 4 && read.indices == [1, 2, 3, 6])
    let x = Variable(Tensor((0..<14).map(Float.init), shape: [7, 2]))
    #expect(read.of(x).value.values == [2, 3, 4, 5, 6, 7, 12, 13])
    #expect(OutputRows([0..<7]).of(x) === x)
    #expect(OutputRows([]).of(x).shape == [0, 2])
  }
}
