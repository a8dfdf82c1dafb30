import Synchronization
import TestSupport
import Testing

@testable import Tensors

/// Products with few rows are cut into runs of a weight's outputs.
@Suite struct FewRowRunTests {
  @Test(arguments: [1, 3, 4, 70, 50_272], [1, 100, 20_000, 600_000, 1 << 21])
  func coverTheOutputs(_ outputs: Int, rowBytes: Int) {
    let seen = Mutex<[Range<Int>]>([])
    randomTensor([1, 4], seed: 1).readMatrix { x in
      forEachFewRowRun(of: outputs, rowBytes: rowBytes, x: x, precision: .float32) { run in
        seen.withLock { $0.append(run) }
      }
    }
    let runs = seen.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } }
    #expect(runs.flatMap { Array($0) } == Array(0..<outputs))
  }
}

/// Weights in the tiles' order against the same weights row by row.
@Suite struct PackedWeightTests {
  @Test(arguments: [(1, 33, 70), (41, 64, 128), (130, 31, 64), (257, 100, 200)])
  func multipliesAsTheWeightRowByRow(rows: Int, inputs: Int, outputs: Int) {
    let plain = BFloat16Weight(DenseWeight(randomTensor([outputs, inputs], seed: 1)))
    let packed = PackedWeight(plain)
    #expect(packed.expanded().values == plain.expanded().values)
    let (x, bias) = (randomTensor([rows, inputs], seed: 2), randomTensor([outputs], seed: 3))
    func apply(_ weight: any MatrixWeight, _ bias: Tensor?) -> Tensor {
      Tensor(shape: [rows, weight.outputs]) {
        weight.apply(to: weight.factor(.float32(x)), bias: bias, into: .float32($0))
      }
    }
    let twin = DenseWeight(plain.expanded())
    let rounded = Operand.float32(x).rounded.expanded([rows, inputs])
    for bias in [nil, bias] {
      let exact = Tensor(shape: [rows, outputs]) {
        twin.apply(to: .float32(rounded), bias: bias, into: .float32($0))
      }
      #expect(difference(apply(packed, bias), exact, relative: 1e-5) == nil)
    }
    // At a panel's border, and elsewhere.
    for range in [outputs / 64 * 64..<outputs, 0..<7, 3..<outputs - 1] where !range.isEmpty {
      let part = packed.outputs(range)
      #expect(part.expanded().values == plain.outputs(range).expanded().values)
      #expect(difference(apply(part, nil), apply(plain.outputs(range), nil), relative: 1e-5) == nil)
    }
    let places = [Int32(outputs) - 1, 0, 5]
    #expect(packed.rows(places).values == plain.rows(places).values)
    let dy = Operand.float32(randomTensor([rows, outputs], seed: 4))
    func transposed(_ weight: any MatrixWeight) -> Tensor {
      Tensor(shape: [rows, inputs]) {
        weight.applyTransposed(to: weight.factor(dy), into: .float32($0), beta: 0)
      }
    }
    #expect(transposed(packed).values == transposed(plain).values)
  }
}
