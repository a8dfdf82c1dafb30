import TestSupport
import Testing

@testable import Autograd
@testable import Tensors

/// Attention that absorbs the maps of its keys and values against maps and attention one after the
/// other.
@Suite struct AbsorbedAttentionTests {
  struct Case: CustomStringConvertible {
    let description: String
    /// Query rows and key rows.
    let rows: Int
    let keyRows: Int
    let heads: Int
    let headWidth: Int
    /// The width of the key rows.
    let inputs: Int
    let layout: AttentionLayout

    var width: Int { heads * headWidth }

    func options(_ dropout: Dropout?) -> AttentionOptions {
      AttentionOptions(
        headCount: heads, scale: 1 / Float(headWidth).squareRoot(), dropout: dropout)
    }

    /// Random queries and maps; weights are small enough that scores are about one.
    var parts: Parts<Tensor> {
      let scale = 1 / Float(inputs).squareRoot()
      return Parts(
        queries: randomTensor([rows, width], seed: 1),
        keyWeight: randomTensor([width, inputs], seed: 2) * scale,
        keyBias: randomTensor([width], seed: 3),
        valueWeight: randomTensor([width, inputs], seed: 4) * scale,
        valueBias: randomTensor([width], seed: 5))
    }

    /// What the maps read.
    var features: Tensor { randomTensor([keyRows, inputs], seed: 9) }
    /// The gradient of the result.
    var dy: Tensor { randomTensor([rows, width], seed: 10) }
  }

  /// Queries and the maps of keys and values.
  struct Parts<Value> {
    var queries: Value
    var keyWeight: Value
    var keyBias: Value
    var valueWeight: Value
    var valueBias: Value

    func map<Result>(_ f: (Value) throws -> Result) rethrows -> Parts<Result> {
      Parts<Result>(
        queries: try f(queries), keyWeight: try f(keyWeight), keyBias: try f(keyBias),
        valueWeight: try f(valueWeight), valueBias: try f(valueBias))
    }
  }

  static let cases: [Case] = [
    Case(
      description: "one sequence for each image", rows: 6, keyRows: 15, heads: 3, headWidth: 32,
      inputs: 22,
      layout: layout([(keys: 0..<8, sequences: [0..<3]), (keys: 8..<15, sequences: [3..<6])])),
    Case(
      description: "several sequences, and rows that no group names", rows: 23, keyRows: 30,
      heads: 2, headWidth: 64, inputs: 46,
      layout: layout([
        (keys: 3..<14, sequences: [14..<19, 2..<7]), (keys: 16..<27, sequences: [8..<12]),
      ])),
    Case(
      description: "many tiles", rows: 450, keyRows: 257 + 33, heads: 3, headWidth: 32,
      inputs: 430,
      layout: layout([
        (keys: 0..<257, sequences: [0..<150, 150..<290]),
        (keys: 257..<290, sequences: [290..<450]),
      ])),
    Case(
      description: "the first keys, and one more with every row", rows: 14, keyRows: 40, heads: 2,
      headWidth: 8, inputs: 10,
      layout: AttentionLayout(groups: [
        .init(queries: [.init(rows: 0..<5, visibleKeys: 17)], keys: [0..<20]),
        .init(queries: [.init(rows: 5..<14, visibleKeys: 12, isCausal: true)], keys: [20..<40]),
      ])),
  ]

  static let dropout = Dropout(rate: 0.3, generator: Philox(seed: 4), site: 7)

  /// Sequences of queries that each see all keys of their image.
  private static func layout(
    _ images: [(keys: Range<Int>, sequences: [Range<Int>])]
  ) -> AttentionLayout {
    AttentionLayout(
      groups: images.enumerated().map { image, rows in
        .init(
          queries: rows.sequences.enumerated().map { sequence, queries in
            .init(
              rows: queries, visibleKeys: rows.keys.count,
              place: RandomPlace(sample: UInt32(8 * image + sequence), position: 3))
          }, keys: [rows.keys])
      })
  }

  private func absorbed(
    _ parts: Parts<Variable>, _ x: Variable, _ test: Case, _ dropout: Dropout?,
    in precision: ProductPrecision = .float32
  ) -> Variable {
    parts.queries.attention(
      to: x,
      key: AbsorbedMap(weight: Weight(parts.keyWeight, in: precision), bias: parts.keyBias),
      value: AbsorbedMap(weight: Weight(parts.valueWeight, in: precision), bias: parts.valueBias),
      layout: test.layout, options: test.options(dropout))
  }

  private func plain(
    _ parts: Parts<Variable>, _ x: Variable, _ test: Case, _ dropout: Dropout?
  ) -> Variable {
    parts.queries.attention(
      keys: x.linear(Weight(parts.keyWeight), bias: parts.keyBias),
      values: x.linear(Weight(parts.valueWeight), bias: parts.valueBias), layout: test.layout,
      options: test.options(dropout))
  }

  private func gradients(
    of parts: Parts<Variable>, from y: Variable, dy: Tensor
  ) throws -> Parts<Tensor> {
    let gradients = Gradients()
    gradients.addBackward(from: y, gradient: dy)
    return try parts.map { try #require(gradients[$0]) }
  }

  private func compare(_ found: Parts<Tensor>, _ expected: Parts<Tensor>, relative: Float) {
    func compare(_ part: KeyPath<Parts<Tensor>, Tensor>, _ name: String) {
      #expect(
        difference(
          found[keyPath: part], expected[keyPath: part], relative: relative, absolute: 1e-6)
          == nil, "\(name)")
    }
    compare(\.queries, "queries")
    compare(\.keyWeight, "key weight")
    compare(\.valueWeight, "value weight")
    compare(\.valueBias, "value bias")
    // What is left of zero in the plain pass is rounding.
    #expect(found.keyBias.values.allSatisfy { $0 == 0 })
    let largest = expected.keyWeight.values.map(abs).max() ?? 0
    #expect(expected.keyBias.values.allSatisfy { abs($0) < largest * 1e-3 })
  }

  @Test(arguments: cases, [nil, dropout])
  func equalsPlainAttention(_ test: Case, _ dropout: Dropout?) throws {
    let x = Variable(test.features)
    let found = test.parts.map { Variable.leaf($0) }
    let expected = test.parts.map { Variable.leaf($0) }
    let y = absorbed(found, x, test, dropout)
    let z = plain(expected, x, test, dropout)
    #expect(difference(y.value, z.value, relative: 1e-4, absolute: 1e-6) == nil)
    compare(
      try gradients(of: found, from: y, dy: test.dy),
      try gradients(of: expected, from: z, dy: test.dy), relative: 1e-4)
  }

  /// In bfloat16 against the same in float32 on the same numbers.
  @Test(.enabled(if: TiledProduct.isNative), arguments: cases, [nil, dropout])
  func bfloat16IsNearFloat32(_ test: Case, _ dropout: Dropout?) throws {
    func rounded(_ x: Tensor) -> BFloat16Matrix { Operand.float32(x).rounded }
    let x = rounded(test.features)
    let dy = rounded(test.dy).expanded(test.dy.shape)
    let parts = test.parts.map { rounded($0).expanded($0.shape) }
    let expected = parts.map { Variable.leaf($0) }
    var found = parts.map { Variable.leaf($0) }
    found.queries = Variable(
      .bfloat16(rounded(parts.queries)), shape: parts.queries.shape,
      node: GradientNode(shape: parts.queries.shape, isRounded: true))
    let y = absorbed(
      found, Variable(.bfloat16(x), shape: test.features.shape, node: nil), test, dropout,
      in: .bfloat16)
    #expect(y.isRounded)
    let z = plain(expected, Variable(x.expanded(test.features.shape)), test, dropout)
    #expect(difference(y.value, z.value, relative: 1.5e-2) == nil)
    compare(
      try gradients(of: found, from: y, dy: dy), try gradients(of: expected, from: z, dy: dy),
      relative: 1.5e-2)
  }

  @Test(arguments: [nil, dropout])
  func gradientCheck(_ dropout: Dropout?) {
    let test = Case(
      description: "small", rows: 5, keyRows: 7, heads: 2, headWidth: 3, inputs: 4,
      layout: Self.layout([(keys: 0..<3, sequences: [0..<2]), (keys: 3..<7, sequences: [3..<5])]))
    let x = Variable(test.features)
    let parts = test.parts
    let text = gradientDifference([
      parts.queries, parts.keyWeight, parts.keyBias, parts.valueWeight, parts.valueBias,
    ]) {
      absorbed(
        Parts(
          queries: $0[0], keyWeight: $0[1], keyBias: $0[2], valueWeight: $0[3], valueBias: $0[4]),
        x, test, dropout)
    }
    #expect(text == nil)
  }

  @Test func rowsLeftOutAreZero() {
    let test = Self.cases[1]
    let y = absorbed(test.parts.map { Variable($0) }, Variable(test.features), test, nil).value
    for row in [0, 1, 7, 12, 13, 19, 22] {
      #expect(y.rows(row..<row + 1).values.allSatisfy { $0 == 0 })
    }
  }

  /// BERT-base on 257 rows of ViT-g: worth it where one set of queries reads an image, not where four
  /// share its keys.
  @Test func whatIsCheaper() {
    func isCheaper(_ queryRows: Int) -> Bool {
      AbsorbedAttention.isCheaper(
        queryRows: queryRows, keyRows: 257, inputs: 1408, width: 768, headCount: 12)
    }
    #expect(isCheaper(8) && isCheaper(32))
    #expect(!isCheaper(64) && !isCheaper(128))
  }
}
