import TestSupport
import Testing

@testable import Tensors

/// Products with stored weights against dense ones of the same values.
@Suite struct StoredWeightTests {
  /// Bytes that a weight keeps alive.
  final class Bytes: @unchecked Sendable {
    let buffer: UnsafeMutableRawBufferPointer
    init(_ bytes: [UInt8], shift: Int) {
      buffer = .allocate(byteCount: bytes.count + shift, alignment: 64)
      UnsafeMutableRawBufferPointer(rebasing: buffer[shift...]).copyBytes(from: bytes)
    }
    deinit { buffer.deallocate() }
  }

  /// Random blocks whose scales are numbers of ordinary size.
  private static func bytes(_ format: NumberFormat, blocks: Int, seed: UInt64) -> [UInt8] {
    var bytes = NumberFormatTests.randomBytes(format, blocks: blocks, seed: seed)
    let halves: [Int] =
      switch format {
      case .float32, .bfloat16: []
      case .float16, .q40, .q50, .q80: [0]
      case .q41, .q51, .q4K, .q5K: [0, 2]
      case .q6K: [208]
      }
    for start in stride(from: 0, to: bytes.count, by: format.blockBytes) {
      // Exponents around 2⁻⁸ … 2⁻¹.
      for half in halves { bytes[start + half + 1] = bytes[start + half + 1] & 0x9F | 0x10 }
      if format == .float32 || format == .bfloat16 {
        let top = start + format.blockBytes - 1
        bytes[top] = bytes[top] & 0x80 | 0x3E
      }
    }
    return bytes
  }

  static func weight(
    _ format: NumberFormat, _ outputs: Int, _ inputs: Int, shift: Int = 0
  ) -> (stored: StoredWeight, dense: DenseWeight) {
    let count = outputs * inputs
    let bytes = bytes(format, blocks: count / format.blockElements, seed: UInt64(count))
    let owner = Bytes(bytes, shift: shift)
    let stored = StoredWeight(
      bytes: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(owner.buffer)[shift...]),
      format: format, outputs: outputs, inputs: inputs, owner: owner)
    let values = PlainBlocks.expand(bytes, format)
    return (stored, DenseWeight(Tensor(values, shape: [outputs, inputs])))
  }

  private enum Direction { case forward, backward }

  /// The product with x, a matrix whose rows have a gap: with a bias, or on what is there, if `adds`.
  private func product(
    _ weight: some Float32ProductWeight, _ direction: Direction, rows: Int, adds: Bool
  ) -> Tensor {
    let (from, to) =
      direction == .forward ? (weight.inputs, weight.outputs) : (weight.outputs, weight.inputs)
    let x = randomTensor([rows, from + 3], seed: 5)
    var y =
      adds && direction == .backward
      ? randomTensor([rows, to], seed: 6) : Tensor(repeating: .nan, shape: [rows, to])
    let bias = randomTensor([to], seed: 7)
    y.modify { y in
      x.read { x in
        let view = MatrixView(x, rows: rows, columns: from, stride: from + 3)
        switch direction {
        case .forward:
          bias.read { weight.apply(to: view, bias: adds ? $0 : nil, into: y, then: nil) }
        case .backward: weight.applyTransposed(to: view, into: y, beta: adds ? 1 : 0)
        }
      }
    }
    return y
  }

  @Test(arguments: NumberFormat.allCases)
  func againstDenseWeights(_ format: NumberFormat) {
    let block = format.blockElements
    let shapes =
      block == 1
      ? [(1, 1), (3, 17), (5, 16), (66, 31), (130, 257), (300, 520)]
      : [(1, block), (3, block), (66, 3 * block), (300, max(2, 512 / block) * block)]
    for (outputs, inputs) in shapes {
      let (stored, dense) = Self.weight(format, outputs, inputs, shift: outputs % 4)
      #expect(stored.outputs == outputs && stored.inputs == inputs)
      for rows in [1, 2, 3, 8, 9, 33, 300] {
        for adds in [false, true] {
          for direction in [Direction.forward, .backward] {
            let found = product(stored, direction, rows: rows, adds: adds)
            let expected = product(dense, direction, rows: rows, adds: adds)
            let problem = difference(found, expected, relative: 2e-6)
            #expect(
              problem == nil, "[\(outputs), \(inputs)], \(direction), \(rows) rows, \(adds)")
          }
        }
      }
    }
  }

  /// More rows than a part has, and panels beyond one.
  @Test func manyRowsAndPanels() {
    let (stored, dense) = Self.weight(.bfloat16, 700, 1300)
    for direction in [Direction.forward, .backward] {
      for rows in [1024, 1025] {
        let found = product(stored, direction, rows: rows, adds: true)
        let expected = product(dense, direction, rows: rows, adds: true)
        #expect(difference(found, expected, relative: 2e-6) == nil)
      }
    }
  }

  /// Alone or shared out over threads, and however often: the very same numbers. (A loop within a
  /// loop runs on one thread.)
  @Test(arguments: [NumberFormat.float32, .bfloat16, .q41, .q6K], [1, 5, 70])
  func threadsDoNotChangeTheNumbers(_ format: NumberFormat, rows: Int) {
    let (stored, _) = Self.weight(format, 1000, 768)
    for direction in [Direction.forward, .backward] {
      let together = (0..<5).map { _ in product(stored, direction, rows: rows, adds: true).values }
      #expect(Set(together).count == 1)
      let alone = Tensor(shape: [2, together[0].count]) { target in
        Parallel.forEach(2) { index in
          let values = product(stored, direction, rows: rows, adds: true).values
          for (place, value) in values.enumerated() {
            target[index * values.count + place] = value
          }
        }
      }
      #expect(alone.values == together[0] + together[0])
    }
  }

  @Test func someOutputs() {
    let (stored, dense) = Self.weight(.q80, 40, 64)
    #expect(stored.outputs(7..<19).expanded().values == dense.values.rows(7..<19).values)
  }

  /// A row of x gives the same numbers whether it comes alone or with some others.
  @Test(arguments: [NumberFormat.float16, .q80])
  func fewRowsAreIndependent(_ format: NumberFormat) {
    let (stored, _) = Self.weight(format, 37, 96)
    let all = product(stored, .forward, rows: 7, adds: false)
    #expect(product(stored, .forward, rows: 1, adds: false).values == all.rows(0..<1).values)
    #expect(product(stored, .forward, rows: 4, adds: false).values == all.rows(0..<4).values)
  }

  @Test(arguments: NumberFormat.allCases)
  func valuesAndRows(_ format: NumberFormat) {
    let (stored, dense) = Self.weight(format, 90, 2 * format.blockElements, shift: 1)
    #expect(stored.expanded().values == dense.values.values)
    #expect(stored.expanded().shape == [90, stored.inputs])
    let indices: [Int32] = [89, 0, 7, 7, 31]
    let rows = stored.rows(indices)
    #expect(rows.shape == [5, stored.inputs])
    for (place, index) in indices.enumerated() {
      let (index, place) = (Int(index), place)
      #expect(
        rows.rows(place..<place + 1).values == dense.values.rows(index..<index + 1).values)
    }
    #expect(stored.rows([]).shape == [0, stored.inputs])
  }
}
