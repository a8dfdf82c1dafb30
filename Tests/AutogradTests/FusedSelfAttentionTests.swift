import Autograd
import Layers
import Tensors
import TestSupport
import Testing

/// One weight for queries, keys and values against a weight for each.
@Suite struct FusedSelfAttentionTests {
  private let fused: FusedSelfAttention
  private let separate: MultiHeadAttention
  private let x = Variable(randomTensor([7, 32], seed: 5))

  init() {
    let heads = AttentionHeads(2, width: 16)
    fused = FusedSelfAttention(
      width: 32, heads: heads, deviation: 0.4, ParameterInitialiser(seed: 3))
    separate = MultiHeadAttention(
      width: 32, heads: heads, deviation: 0.4, ParameterInitialiser(seed: 4))
    fused.qkv.bias?.value = randomTensor([96], seed: 6)
    for (part, map) in [separate.query, separate.key, separate.value].enumerated() {
      let rows = part * 32..<(part + 1) * 32
      map.weight.value = fused.qkv.weight.value.rows(rows)
      map.bias?.value = Tensor(Array(fused.qkv.bias!.value.values[rows]), shape: [32])
    }
    separate.output.weight.value = fused.output.weight.value
  }

  private func multiply(in precision: ProductPrecision) {
    for map in [fused.qkv, separate.query, separate.key, separate.value] {
      map.multiply(in: precision)
    }
  }

  private func results() -> (fused: [Float], separate: [Float]) {
    let layout = AttentionLayout.separate(sequences: 1, length: 7)
    return (fused(x, layout: layout).value.values, separate(x, layout: layout).value.values)
  }

  private func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
  }

  @Test func agreesInFloat32() {
    let (fused, separate) = results()
    #expect(largestDifference(fused, separate) < 1e-5)
  }

  @Test func agreesInInt8() {
    fused.freeze()
    separate.freeze()
    let exact = results().fused
    multiply(in: .int8)
    let (fused, separate) = results()
    #expect(largestDifference(fused, separate) < 1e-5)
    #expect(largestDifference(fused, exact) > 1e-4)
  }

  /// Frozen matrices too are multiplied in the precision that was asked for.
  @Test(arguments: [false, true]) func agreesInBFloat16(isFrozen: Bool) {
    let exact = results().fused
    multiply(in: .bfloat16)
    if isFrozen {
      fused.freeze()
      let matrix = DenseWeight(fused.qkv.weight.value)
      fused.qkv.weight.freeze(as: BFloat16Weight(matrix))
    }
    let (fused, separate) = results()
    #expect(largestDifference(fused, separate) < 1e-5)
    #expect(largestDifference(fused, exact) > 1e-4)
  }
}
