import Foundation
import TestSupport
import Testing

@testable import Autograd
@testable import Tensors

/// Attention over packed sequences against the textbook formula with a dense additive mask.
@Suite struct AttentionTests {
  /// `softmax(scale · q · kᵀ + mask) · v`, head by head, in double precision.
  static func dense(
    q: Tensor, k: Tensor, v: Tensor, heads: Int, keyHeads: Int, scale: Double,
    mask: (_ query: Int, _ key: Int) -> Double
  ) -> Tensor {
    let headWidth = q.width / heads
    let (qs, ks, vs) = (q.values, k.values, v.values)
    var y = [Float](repeating: 0, count: q.count)
    for head in 0..<heads {
      let keyHead = head / (heads / keyHeads)
      for row in 0..<q.rowCount {
        let scores = (0..<k.rowCount).map { key -> Double in
          let dot = (0..<headWidth).reduce(0.0) { sum, i in
            sum + Double(qs[row * q.width + head * headWidth + i])
              * Double(ks[key * k.width + keyHead * headWidth + i])
          }
          return dot * scale + mask(row, key)
        }
        let highest = scores.max() ?? 0
        let weights = scores.map { exp($0 - highest) }
        let total = weights.reduce(0, +)
        for i in 0..<headWidth {
          let value = (0..<k.rowCount).reduce(0.0) { sum, key in
            sum + weights[key] / total * Double(vs[key * v.width + keyHead * headWidth + i])
          }
          y[row * q.width + head * headWidth + i] = Float(value)
        }
      }
    }
    return Tensor(y, shape: q.shape)
  }

  static func options(_ heads: Int, _ headWidth: Int, dropout: Dropout? = nil) -> AttentionOptions {
    AttentionOptions(headCount: heads, scale: 1 / Float(headWidth).squareRoot(), dropout: dropout)
  }

  struct Case: CustomStringConvertible {
    let description: String
    /// Whether the query row sees the key row.
    let sees: (Int, Int) -> Bool
    let layout: AttentionLayout
    let rows: Int
  }

  /// The three masks of BLIP-2 for two samples of 3 queries with texts of 4 and 1 tokens: rows 0–5
  /// are the queries, 6–9 and 10 the texts.
  static let cases: [Case] = {
    let queries = [0..<3, 3..<6]
    let texts = [6..<10, 10..<11]
    func sample(_ row: Int) -> Int { row < 6 ? row / 3 : (row < 10 ? 0 : 1) }
    func isQuery(_ row: Int) -> Bool { row < 6 }
    let unimodal = AttentionLayout(
      groups: (queries + texts).map {
        .init(queries: [.init(rows: $0, visibleKeys: $0.count)], keys: [$0])
      })
    let causal = AttentionLayout(
      groups: zip(queries, texts).map { queries, text in
        .init(
          queries: [
            .init(rows: queries, visibleKeys: 3),
            .init(rows: text, visibleKeys: 4, isCausal: true),
          ], keys: [queries, text])
      })
    let bidirectional = AttentionLayout(
      groups: zip(queries, texts).map { queries, text in
        .init(
          queries: [queries, text].map { .init(rows: $0, visibleKeys: 3 + text.count) },
          keys: [queries, text])
      })
    return [
      Case(
        description: "uni-modal",
        sees: { sample($0) == sample($1) && isQuery($0) == isQuery($1) }, layout: unimodal, rows: 11
      ),
      Case(
        description: "multi-modal causal",
        sees: { query, key in
          sample(query) == sample(key)
            && (isQuery(key) || (!isQuery(query) && key <= query))
        }, layout: causal, rows: 11),
      Case(
        description: "bidirectional", sees: { sample($0) == sample($1) }, layout: bidirectional,
        rows: 11),
    ]
  }()

  @Test(arguments: cases, [8, 32, 64, 80, 88])
  func layoutEqualsDenseMask(_ example: Case, headWidth: Int) {
    let heads = 2
    let q = randomTensor([example.rows, heads * headWidth], seed: 1)
    let k = randomTensor(q.shape, seed: 2)
    let v = randomTensor(q.shape, seed: 3)
    let packed = Variable(q).attention(
      keys: Variable(k), values: Variable(v), layout: example.layout,
      options: Self.options(heads, headWidth))
    let dense = Self.dense(
      q: q, k: k, v: v, heads: heads, keyHeads: heads, scale: 1 / Double(headWidth).squareRoot()
    ) { example.sees($0, $1) ? 0 : -10_000 }
    #expect(difference(packed.value, dense, relative: 1e-5) == nil)
  }

  @Test(arguments: cases)
  func gradients(_ example: Case) {
    let values = (0..<3).map { randomTensor([example.rows, 8], seed: UInt64($0)) }
    for dropout in [nil, Dropout(rate: 0.3, generator: Philox(seed: 4), site: 1)] {
      let text = gradientDifference(values) {
        $0[0].attention(
          keys: $0[1], values: $0[2], layout: example.layout,
          options: Self.options(2, 4, dropout: dropout))
      }
      #expect(text == nil)
    }
  }

  /// Several query sequences look at one image; others at another of more rows than a chunk.
  @Test func sharedKeysAndLongRuns() {
    let layout = AttentionLayout(groups: [
      .init(
        queries: [0..<5, 8..<80].map { .init(rows: $0, visibleKeys: 7) }, keys: [0..<7]),
      .init(queries: [.init(rows: 5..<8, visibleKeys: 9)], keys: [7..<16]),
    ])
    let q = randomTensor([80, 6], seed: 1)
    let k = randomTensor([16, 6], seed: 2)
    let v = randomTensor([16, 6], seed: 3)
    let packed = Variable(q).attention(
      keys: Variable(k), values: Variable(v), layout: layout, options: Self.options(1, 6))
    let dense = Self.dense(
      q: q, k: k, v: v, heads: 1, keyHeads: 1, scale: 1 / 6.0.squareRoot()
    ) { query, key in (5..<8).contains(query) == (key >= 7) ? 0 : -10_000 }
    #expect(difference(packed.value, dense, relative: 1e-5) == nil)
    let text = gradientDifference([q, k, v]) {
      $0[0].attention(
        keys: $0[1], values: $0[2], layout: layout, options: Self.options(1, 6))
    }
    #expect(text == nil)
  }

  @Test func groupedHeads() {
    let layout = AttentionLayout.separate(sequences: 2, length: 5)
    let q = randomTensor([10, 16], seed: 1)
    let k = randomTensor([10, 8], seed: 2)
    let v = randomTensor([10, 8], seed: 3)
    let packed = Variable(q).attention(
      keys: Variable(k), values: Variable(v), layout: layout, options: Self.options(4, 4))
    let dense = Self.dense(q: q, k: k, v: v, heads: 4, keyHeads: 2, scale: 0.5) {
      $0 / 5 == $1 / 5 ? 0 : -10_000
    }
    #expect(difference(packed.value, dense, relative: 1e-5) == nil)
    let text = gradientDifference([q, k, v]) {
      $0[0].attention(keys: $0[1], values: $0[2], layout: layout, options: Self.options(4, 4))
    }
    #expect(text == nil)
  }

  @Test func relativeBias() {
    let layout = AttentionLayout.separate(sequences: 2, length: 4)
    let inputs = (0..<3).map { randomTensor([8, 6], seed: UInt64($0)) }
    let table = randomTensor([7, 2], seed: 9)
    let bucket: @Sendable (Int) -> Int = { $0 + 3 }
    let biased = Variable(inputs[0]).attention(
      keys: Variable(inputs[1]), values: Variable(inputs[2]), layout: layout,
      options: AttentionOptions(
        headCount: 2, scale: 1, bias: RelativeBias(table: Variable(table), bucket: bucket)))
    // A head at a time, since the dense formula's mask is the same for all heads.
    for head in 0..<2 {
      let part = { (x: Tensor) in
        Tensor(
          (0..<8).flatMap { row in (0..<3).map { x.values[row * 6 + head * 3 + $0] } },
          shape: [8, 3])
      }
      let dense = Self.dense(
        q: part(inputs[0]), k: part(inputs[1]), v: part(inputs[2]), heads: 1, keyHeads: 1, scale: 1
      ) { query, key in
        query / 4 == key / 4
          ? Double(table.values[bucket(key % 4 - query % 4) * 2 + head]) : -10_000
      }
      #expect(difference(part(biased.value), dense, relative: 1e-5) == nil)
    }
    let text = gradientDifference(inputs + [table]) {
      $0[0].attention(
        keys: $0[1], values: $0[2], layout: layout,
        options: AttentionOptions(
          headCount: 2, scale: 1, bias: RelativeBias(table: $0[3], bucket: bucket)))
    }
    #expect(text == nil)
  }

  @Test func rowsLeftOutAreZero() {
    let layout = AttentionLayout(groups: [
      .init(queries: [.init(rows: 1..<2, visibleKeys: 2)], keys: [0..<2])
    ])
    let x = Variable(randomTensor([3, 4], seed: 1))
    let y = x.attention(keys: x, values: x, layout: layout, options: Self.options(1, 4)).value
      .values
    #expect(y[0..<4].allSatisfy { $0 == 0 } && y[8..<12].allSatisfy { $0 == 0 })
    #expect(y[4..<8].contains { $0 != 0 })
  }
}
