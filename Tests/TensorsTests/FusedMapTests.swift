import TestSupport
import Testing

@testable import Tensors

/// A function of a product's numbers, taken part by part, against the same taken of the whole.
@Suite struct ResultMapTests {
  private enum Line: UnaryFunction {
    static func value(_ x: Vector) -> Vector { x * 3 + 1 }
  }

  private static let weights: [(DenseWeight) -> any MatrixWeight] = [
    { $0 }, { BFloat16Weight($0) }, { Int8Weight($0) }, { PackedWeight($0) },
  ]

  @Test(arguments: weights.indices, [(2, 48, 70), (40, 33, 130), (200, 6200, 66)])
  func isThatOfTheWhole(_ index: Int, _ sizes: (rows: Int, inputs: Int, outputs: Int)) {
    let (rows, outputs) = (sizes.rows, sizes.outputs)
    // What is packed has sums of one part.
    let inputs = min(sizes.inputs, index == 3 ? TiledProduct.mostPackedInputs : .max)
    let weight = ResultMapTests.weights[index](
      DenseWeight(randomTensor([outputs, inputs], seed: 1)))
    let x = weight.factor(.float32(randomTensor([rows, inputs], seed: 2)))
    let bias = randomTensor([outputs], seed: 3)
    for precision in Set([ProductPrecision.float32, weight.resultPrecision]) {
      func made(_ write: (ProductResult) -> Void) -> Operand {
        .made(in: precision, shape: [rows, outputs], write)
      }
      func values(_ factor: Operand) -> [Float] { factor.tensor([rows, outputs]).values }
      let whole = made { weight.apply(to: x, bias: bias, into: $0) }
      let expected = values(whole.mapped(by: Line.self))
      let inPlace = made {
        weight.apply(to: x, bias: bias, into: $0, then: FusedMap(Line.self, into: $0))
      }
      #expect(values(inPlace) == expected)
      var kept: Operand?
      let beside = made { y in
        kept = made {
          weight.apply(to: x, bias: bias, into: $0, then: FusedMap(Line.self, into: y))
        }
      }
      #expect(values(beside) == expected)
      #expect(kept.map(values) == values(whole))
    }
  }
}
