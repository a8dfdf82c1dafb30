import TestSupport
import Testing

@testable import Autograd
@testable import Tensors

/// Attention that absorbs the maps of its keys and values against maps and attention one after the
/// other.
@Suite struct AbsorbedAttentionTests {
  struct Case: CustomStringConvertible {
    let description: String
    let rows: Int
    let keyRows: Int
    let heads: Int
    let headWidth: Int
    let inputs: Int
    let layout: AttentionLayout
  }

  static let cases: [Case] = [
    Case(
      description: "one sequence for each image", rows: 6, keyRows: 15, heads: 3, headWidth: 32,
      inputs: 22,
      layout: images([[0..<3], [3..<6]], keys: [0..<8, 8..<15])),
    Case(
      description: "several sequences, and rows that nobody names", rows: 23, keyRows: 30, heads: 2,
      headWidth: 64, inputs: 46,
      layout: images([[14..<19, 2..<7], [8..<12]], keys: [3..<14, 16..<27])),
    Case(
      description: "many chunks", rows: 450, keyRows: 257 + 33, heads: 3, headWidth: 32,
      inputs: 430,
      layout: images([[0..<150, 150..<290], [290..<450]], keys: [0..<257, 257..<290])),
    Case(
      description: "the first keys, and one more with every row", rows: 14, keyRows: 40, heads: 2,
      headWidth: 8, inputs: 10,
      layout: AttentionLayout(groups: [
        .init(queries: [.init(rows: 0..<5, visibleKeys: 17)], keys: [0..<20]),
        .init(queries: [.init(rows: 5..<14, visibleKeys: 12, isCausal: true)], keys: [20..<40]),
      ])),
  ]

  static let dropout = Dropout(rate: 0.3, generator: Philox(seed: 4), site: 7)

  private static func images(_ queries: [[Range<Int>]], keys: [Range<Int>]) -> AttentionLayout {
    AttentionLayout(
      groups: zip(queries, keys).enumerated().map { image, both in
        .init(
          queries: both.0.enumerated().map { sequence, rows in
            .init(
              rows: rows, visibleKeys: both.1.count,
              place: RandomPlace(sample: UInt32(8 * image + sequence), position: 3))
          }, keys: [both.1])
      })
  }

  private func options(_ test: Case, _ dropout: Dropout?) -> AttentionOptions {
    AttentionOptions(
      headCount: test.heads, scale: 1 / Float(test.headWidth).squareRoot(), dropout: dropout)
  }

  /// Queries, the weight and bias of keys, and those of values.
  private func inputs(_ test: Case) -> [Tensor] {
    let width = test.heads * test.headWidth
    let scale = Vector(repeating: 1 / Float(test.inputs).squareRoot())
    return [[test.rows, width], [width, test.inputs], [width], [width, test.inputs], [width]]
      .enumerated().map { index, shape in
        var x = randomTensor(shape, seed: UInt64(index + 1))
        if index % 2 == 1 {
          x.modify { [count = x.count] x in mapVectors(x, into: x, count: count) { $0 * scale } }
        }
        return x
      }
  }

  private func absorbed(
    _ inputs: [Variable], x: Variable, _ test: Case, _ dropout: Dropout?,
    in precision: ProductPrecision = .float32
  ) -> Variable {
    inputs[0].attention(
      to: x, key: AbsorbedMap(weight: Weight(inputs[1], in: precision), bias: inputs[2]),
      value: AbsorbedMap(weight: Weight(inputs[3], in: precision), bias: inputs[4]),
      layout: test.layout, options: options(test, dropout))
  }

  private func plain(
    _ inputs: [Variable], x: Variable, _ test: Case, _ dropout: Dropout?
  ) -> Variable {
    inputs[0].attention(
      keys: x.linear(Weight(inputs[1]), bias: inputs[2]),
      values: x.linear(Weight(inputs[3]), bias: inputs[4]), layout: test.layout,
      options: options(test, dropout))
  }

  private func gradients(of inputs: [Variable], from y: Variable, dy: Tensor) throws -> [Tensor] {
    let gradients = Gradients()
    gradients.addBackward(from: y, gradient: dy)
    return try inputs.map { try #require(gradients[$0]) }
  }

  private static let names = ["queries", "key weight", "key bias", "value weight", "value bias"]

  private func compare(_ found: [Tensor], _ expected: [Tensor], relative: Float) {
    for (index, name) in Self.names.enumerated() {
      if index == 2 {
        // What is left of zero in the plain pass is rounding.
        #expect(found[2].values.allSatisfy { $0 == 0 })
        let largest = expected[1].values.map(abs).max() ?? 0
        #expect(expected[2].values.allSatisfy { abs($0) < largest * 1e-3 })
      } else {
        #expect(
          difference(found[index], expected[index], relative: relative, absolute: 1e-6) == nil,
          "\(name)")
      }
    }
  }

  @Test(arguments: cases, [nil, dropout])
  func equalsPlainAttention(_ test: Case, _ dropout: Dropout?) throws {
    let x = Variable(randomTensor([test.keyRows, test.inputs], seed: 9))
    let dy = randomTensor([test.rows, test.heads * test.headWidth], seed: 10)
    let found = inputs(test).map { Variable.leaf($0) }
    let expected = inputs(test).map { Variable.leaf($0) }
    let y = absorbed(found, x: x, test, dropout)
    let z = plain(expected, x: x, test, dropout)
    #expect(difference(y.value, z.value, relative: 1e-4, absolute: 1e-6) == nil)
    compare(
      try gradients(of: found, from: y, dy: dy), try gradients(of: expected, from: z, dy: dy),
      relative: 1e-4)
  }

  /// In bfloat16 against the same in float32 on the same numbers.
  @Test(.enabled(if: TiledProduct.isNative), arguments: cases, [nil, dropout])
  func roundedIsNearFloat32(_ test: Case, _ dropout: Dropout?) throws {
    let x = ProductFactor.float32(randomTensor([test.keyRows, test.inputs], seed: 9)).rounded
    let dy = ProductFactor.float32(
      randomTensor([test.rows, test.heads * test.headWidth], seed: 10)
    ).rounded.expanded([test.rows, test.heads * test.headWidth])
    let rounded = inputs(test).map { ProductFactor.float32($0).rounded.expanded($0.shape) }
    let found = rounded.enumerated().map { index, values in
      index == 0
        ? Variable(
          .bfloat16(ProductFactor.float32(values).rounded), shape: values.shape,
          node: GradientNode(shape: values.shape, isRounded: true))
        : .leaf(values)
    }
    let expected = rounded.map { Variable.leaf($0) }
    let y = absorbed(
      found, x: Variable(.bfloat16(x), shape: [test.keyRows, test.inputs], node: nil), test,
      dropout, in: .bfloat16)
    #expect(y.isRounded)
    let z = plain(
      expected, x: Variable(x.expanded([test.keyRows, test.inputs])), test, dropout)
    #expect(difference(y.value, z.value, relative: 1.5e-2) == nil)
    compare(
      try gradients(of: found, from: y, dy: dy), try gradients(of: expected, from: z, dy: dy),
      relative: 1.5e-2)
  }

  @Test(arguments: [nil, dropout])
  func gradientCheck(_ dropout: Dropout?) {
    let test = Case(
      description: "small", rows: 5, keyRows: 7, heads: 2, headWidth: 3, inputs: 4,
      layout: Self.images([[0..<2], [3..<5]], keys: [0..<3, 3..<7]))
    let x = Variable(randomTensor([7, 4], seed: 9))
    #expect(gradientDifference(inputs(test)) { absorbed($0, x: x, test, dropout) } == nil)
  }

  @Test func rowsLeftOutAreZero() {
    let test = Self.cases[1]
    let y = absorbed(
      inputs(test).map { Variable($0) },
      x: Variable(randomTensor([test.keyRows, test.inputs], seed: 9)), test, nil
    ).value
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
