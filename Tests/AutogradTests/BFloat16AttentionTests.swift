import TestSupport
import Testing

@testable import Autograd
@testable import Tensors

/// Attention whose products are made in bfloat16 against attention in float32 on the same numbers.
@Suite struct BFloat16AttentionTests {
  private func leaf(_ shape: [Int], seed: UInt64) -> Variable {
    let matrix = Operand.float32(randomTensor(shape, seed: seed)).rounded
    return Variable(
      .bfloat16(matrix), shape: shape, node: GradientNode(shape: shape, isRounded: true))
  }

  /// The result and the gradients of queries, keys, values and a trained table of biases for a given dy.
  private func pass(
    _ inputs: [Variable], _ layout: AttentionLayout, _ options: AttentionOptions, dy: Tensor
  ) -> [Tensor] {
    let y = inputs[0].attention(
      keys: inputs[1], values: inputs[2], layout: layout, options: options)
    #expect(y.isRounded == (inputs[2].isRounded && TiledProduct.isNative))
    let gradients = Gradients()
    gradients.addBackward(from: y, gradient: dy)
    let table = options.bias?.table
    return [y.value] + inputs.map { gradients[$0]! }
      + (table.flatMap { gradients[$0] }.map { [$0] } ?? [])
  }

  private func compare(
    rows: Int, keyRows: Int, heads: Int, keyHeads: Int, headWidth: Int, _ layout: AttentionLayout,
    dropout: Dropout? = nil, bias: RelativeBias? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let inputs = [
      leaf([rows, heads * headWidth], seed: 1), leaf([keyRows, keyHeads * headWidth], seed: 2),
      leaf([keyRows, keyHeads * headWidth], seed: 3),
    ]
    let options = AttentionOptions(
      headCount: heads, scale: 1 / Float(headWidth).squareRoot(), dropout: dropout, bias: bias)
    let dy = Operand.float32(randomTensor(inputs[0].shape, seed: 4)).rounded
      .expanded(inputs[0].shape)
    let found = pass(inputs, layout, options, dy: dy)
    let expected = pass(inputs.map { .leaf($0.value) }, layout, options, dy: dy)
    for (name, pair) in zip(["y", "dq", "dk", "dv", "dtable"], zip(found, expected)) {
      // Probabilities and their gradients have eight bits.
      #expect(
        difference(pair.0, pair.1, relative: 1.5e-2) == nil, "\(name)",
        sourceLocation: sourceLocation)
    }
  }

  @Test(arguments: [8, 32, 64, 80, 88])
  func headWidths(_ width: Int) {
    compare(
      rows: 30, keyRows: 30, heads: 3, keyHeads: 3, headWidth: width,
      .separate(sequences: 2, length: 15))
  }

  /// The masks of BLIP-2, also with dropout; queries and texts of one group lie apart.
  @Test(arguments: AttentionTests.cases.indices, [nil, Float(0.3)])
  func masks(_ index: Int, _ rate: Float?) {
    let test = AttentionTests.cases[index]
    compare(
      rows: test.rows, keyRows: test.rows, heads: 2, keyHeads: 2, headWidth: 16, test.layout,
      dropout: rate.map { Dropout(rate: $0, generator: Philox(seed: 1), site: 2) })
  }

  /// Several tiles of queries, other lengths of keys, and rows that no group names.
  @Test func longSequences() {
    let layout = AttentionLayout(groups: [
      .init(queries: [.init(rows: 2..<150, visibleKeys: 257)], keys: [3..<260]),
      .init(queries: [.init(rows: 160..<170, visibleKeys: 4, isCausal: true)], keys: [265..<280]),
    ])
    compare(rows: 173, keyRows: 281, heads: 4, keyHeads: 4, headWidth: 32, layout)
    compare(
      rows: 173, keyRows: 281, heads: 4, keyHeads: 4, headWidth: 32, layout,
      dropout: Dropout(rate: 0.1, generator: Philox(seed: 3), site: 9))
  }

  /// Query heads that share a key head, in several tiles: two key heads, and one for all.
  @Test func sharedHeads() {
    let causal = AttentionLayout(groups: [
      .init(queries: [.init(rows: 0..<90, visibleKeys: 1, isCausal: true)], keys: [0..<90]),
      .init(queries: [.init(rows: 90..<97, visibleKeys: 1, isCausal: true)], keys: [90..<97]),
    ])
    compare(rows: 97, keyRows: 97, heads: 6, keyHeads: 2, headWidth: 16, causal)
    compare(
      rows: 97, keyRows: 97, heads: 6, keyHeads: 1, headWidth: 16, causal,
      dropout: Dropout(rate: 0.2, generator: Philox(seed: 5), site: 3))
  }

  @Test func relativeBiases() {
    let bucket: @Sendable (Int) -> Int = { min(6, max(0, $0 + 3)) }
    let table = randomTensor([7, 3], seed: 8)
    let layout = AttentionLayout(groups: [
      .init(queries: [.init(rows: 0..<9, visibleKeys: 9)], keys: [0..<9]),
      .init(
        queries: [
          .init(
            rows: 9..<14, visibleKeys: 2, isCausal: true,
            place: RandomPlace(sample: 1, position: 1))
        ], keys: [9..<15]),
    ])
    for table in [Variable(table), .leaf(table)] {
      compare(
        rows: 14, keyRows: 15, heads: 3, keyHeads: 3, headWidth: 8, layout,
        bias: RelativeBias(table: table, bucket: bucket))
    }
  }
}
