import TestSupport
import Testing

@testable import Tensors

/// Operations on values in bfloat16 against the same on their float32 twins.
@Suite struct FactorMapTests {
  private enum Line: UnaryFunction {
    static func value(_ x: Vector) -> Vector { x * 3 + 1 }
  }

  private enum Mix: BinaryFunction {
    static func value(_ a: Vector, _ b: Vector) -> Vector { a * b - a }
  }

  private static let shapes = [[1, 1], [3, 15], [5, 16], [7, 50], [300, 129]]

  private func pair(_ shape: [Int], seed: UInt64) -> (rounded: Operand, plain: Tensor) {
    let matrix = Operand.float32(randomTensor(shape, seed: seed)).rounded
    return (.bfloat16(matrix), matrix.expanded(shape))
  }

  @Test(arguments: shapes)
  func mapsAndSums(_ shape: [Int]) {
    let (a, b) = (pair(shape, seed: 1), pair(shape, seed: 2))
    let mapped = a.rounded.mapped(by: Line.self)
    #expect(
      difference(mapped.tensor(shape), a.plain.mapped { Line.value($0) }, relative: 4e-3) == nil)
    let expected = a.plain.combined(with: b.plain) { Mix.value($0, $1) }
    for other in [b.rounded, .float32(b.plain)] {
      let found = a.rounded.combined(with: other, by: Mix.self)
      if case .float32 = found { Issue.record("the form of the first values was not kept") }
      #expect(difference(found.tensor(shape), expected, relative: 4e-3) == nil)
    }
    let plain = Operand.float32(a.plain).combined(with: b.rounded, by: Mix.self)
    #expect(plain.tensor(shape).values == expected.values)

    var (sums, twin) = (
      Tensor(repeating: 2, shape: [shape[1]]), [Double](repeating: 2, count: shape[1])
    )
    sums.modify { a.rounded.addColumnSums(to: $0) }
    for (index, value) in a.plain.values.enumerated() { twin[index % shape[1]] += Double(value) }
    #expect(
      difference(sums, Tensor(twin.map { Float($0) }, shape: [shape[1]]), relative: 1e-5) == nil)
  }

  @Test func rowsAndTheirJoining() {
    let (a, b) = (pair([4, 6], seed: 1), pair([3, 6], seed: 2))
    let joined = Operand.concatenated([a.rounded, b.rounded], rows: 7, width: 6)
    #expect(joined.tensor([7, 6]).values == a.plain.values + b.plain.values)
    if case .float32 = joined { Issue.record("rows in bfloat16 were expanded") }
    let mixed = Operand.concatenated([a.rounded, .float32(b.plain)], rows: 7, width: 6)
    #expect(mixed.tensor([7, 6]).values == a.plain.values + b.plain.values)
    #expect(joined.rows(3..<5).tensor([2, 6]).values == joined.tensor([7, 6]).rows(3..<5).values)
  }
}
