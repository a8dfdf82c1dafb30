import TestSupport
import Testing

@testable import Autograd
@testable import Tensors

/// What is computed again in the backward pass gives the gradients of what was kept, and keeps
/// nothing.
@Suite struct RecomputationTests {
  static let places = (0..<6).map { RandomPlace(sample: 4, position: UInt32($0)) }
  static let dropout = Dropout(rate: 0.4, generator: Philox(seed: 3), site: 2)

  /// Two results from two inputs and parameters, with a norm, dropout and products in a precision; the
  /// first input is used several times.
  private func body(_ parameters: [Variable], _ precision: ProductPrecision)
    -> ([Variable]) -> [Variable]
  {
    { inputs in
      let weight = Weight(parameters[0], in: precision)
      let h = inputs[0].linear(
        weight, bias: parameters[1], activation: .gelu, inComputePrecision: true)
      let y = h.linear(Weight(parameters[2], in: precision)).addedAndNormalised(
        to: inputs[0], dropout: Self.dropout, places: Self.places, gamma: parameters[3],
        beta: parameters[4], epsilon: 1e-6)
      let z = inputs[1].linear(weight, inComputePrecision: true)
      return [y, z.linear(Weight(parameters[2], in: precision)) + inputs[0].rows(1..<3)]
    }
  }

  private static let shapes = [[6, 8], [2, 8], [12, 8], [12], [8, 12], [8], [8]]
  private static let values = shapes.enumerated().map {
    randomTensor($1, seed: UInt64($0 + 1), deviation: 0.5)
  }

  /// A graph around the body, in which its inputs serve others too, before and after.
  private func result(
    _ leaves: [Variable], _ precision: ProductPrecision = .float32, recomputing: Bool
  ) -> Variable {
    let inputs = [leaves[0].activated(.silu), leaves[1] * 2]
    let body = body(Array(leaves[2...]), precision)
    func run(_ inputs: [Variable]) -> [Variable] {
      recomputing ? Variable.recomputing(inputs, body) : body(inputs)
    }
    let results = run(inputs)
    let more = run([results[0], inputs[1]])
    return .concatenatedRows([more[0] + inputs[0], results[1], more[1], results[0]])
  }

  private func gradients(_ precision: ProductPrecision, recomputing: Bool) -> [Tensor] {
    let leaves = Self.values.map { Variable.leaf($0) }
    let result = result(leaves, precision, recomputing: recomputing)
    let gradients = Gradients()
    gradients.addBackward(from: result, gradient: randomTensor(result.shape, seed: 50))
    return [result.value] + leaves.map { gradients[$0]! }
  }

  @Test(arguments: [ProductPrecision.float32, .bfloat16])
  func sameToTheBit(_ precision: ProductPrecision) {
    let plain = gradients(precision, recomputing: false)
    let recomputed = gradients(precision, recomputing: true)
    #expect(recomputed.map(\.values) == plain.map(\.values))
    #expect(plain.allSatisfy { $0.values.contains { $0 != 0 } })
  }

  @Test func gradientCheck() {
    #expect(gradientDifference(Self.values) { result($0, recomputing: true) } == nil)
  }

  /// Bodies within bodies.
  @Test func nested() {
    let x = randomTensor([6, 8], seed: 1)
    func gradient(_ recomputing: Bool) -> [Float] {
      let leaf = Variable.leaf(x)
      func step(_ x: Variable, _ depth: Int) -> Variable {
        let body: ([Variable]) -> [Variable] = { inputs in
          let y = depth == 0 ? inputs[0] : step(inputs[0].activated(.gelu), depth - 1)
          return [y + inputs[0]]
        }
        return recomputing ? Variable.recomputing([x], body)[0] : body([x])[0]
      }
      let gradients = Gradients()
      gradients.addBackward(from: step(leaf, 3).sum())
      return gradients[leaf]!.values
    }
    #expect(gradient(true) == gradient(false))
  }

  /// Nothing but the inputs is kept between the passes, and nothing at all after.
  @Test func whatLiesBetweenIsFreed() {
    var runs = 0
    weak var between: Storage?
    var x: Variable? = Variable.leaf(randomTensor([6, 8], seed: 1)).activated(.gelu)
    weak let input = x!.value.storage
    let y = Variable.recomputing([x!]) { inputs in
      runs += 1
      let h = inputs[0].activated(.gelu)
      between = h.value.storage
      return [h.activated(.silu)]
    }[0]
    x = nil
    #expect(runs == 1 && between == nil && input != nil)
    Gradients().addBackward(from: y.sum())
    #expect(runs == 2 && between == nil && input == nil)
  }

  @Test func results() {
    let x = Variable.leaf(randomTensor([6, 8], seed: 1))
    let constant = Variable(randomTensor([6, 8], seed: 2))
    var runs = 0
    // One result is an input, one needs no gradient, one is not used any further.
    let results = Variable.recomputing([x, constant]) { inputs in
      runs += 1
      return [inputs[0], inputs[1] * 2, inputs[0] * 3]
    }
    #expect(results.map(\.needsGradient) == [true, false, true])
    let gradients = Gradients()
    gradients.addBackward(from: (results[0] + results[1]).sum())
    #expect(gradients[x]!.values.allSatisfy { $0 == 1 })
    #expect(runs == 2)
  }

  /// Frozen parts record nothing, and evaluation runs the body once.
  @Test func nothingIsRecordedInVain() {
    let constant = Variable(randomTensor([6, 8], seed: 2))
    let frozen = Variable.recomputing([constant]) { [$0[0].activated(.gelu)] }[0]
    #expect(!frozen.needsGradient)
    let leaf = Leaf(shape: [6, 8])
    let evaluated = withoutGradients {
      Variable.recomputing([constant]) { [$0[0] + Variable(constant.value, leaf: leaf)] }[0]
    }
    #expect(!evaluated.needsGradient)
    let trained = Variable.recomputing([constant]) {
      [$0[0] + Variable(constant.value, leaf: leaf)]
    }[0]
    let gradients = Gradients()
    withoutGradients { gradients.addBackward(from: trained.sum()) }
    #expect(gradients[leaf]!.values.allSatisfy { $0 == 1 })
  }

  /// A gradient that would go astray, and take the outer graph with it, ends the program.
  @Test func whatIsNoInputIsRefused() async {
    await #expect(processExitsWith: .failure) {
      let x = Variable.leaf(randomTensor([2, 2], seed: 1))
      let before = x.activated(.gelu)
      let y = Variable.recomputing([x]) { [$0[0] + before] }[0]
      Gradients().addBackward(from: y.sum())
    }
  }
}
