import Autograd
import Tensors
import TestSupport
import Testing

@testable import Layers

/// A norm folded into the maps that read it gives what the norm and then the maps give.
@Suite struct NormalisedRowsTests {
  @Test func foldedEqualsPlain() throws {
    let initialiser = ParameterInitialiser(seed: 9)
    let norm = LayerNorm(width: 12, epsilon: 1e-5, initialiser)
    norm.weight.value = Tensor((0..<12).map { 0.5 + 0.1 * Float($0) }, shape: [12])
    norm.bias.value = Tensor((0..<12).map { 0.3 - 0.07 * Float($0) }, shape: [12])
    let maps = [5, 7].map { Linear(inputs: 12, outputs: $0, start: .uniform, initialiser) }
    let x = Tensor((0..<108).map { Float(($0 * 37) % 23) / 7 - 1.4 }, shape: [9, 12])
    let weights = maps.map { map in
      Tensor(
        (0..<9 * map.weight.shape[0]).map { Float(($0 * 11) % 13) / 5 - 1 },
        shape: [9, map.weight.shape[0]])
    }

    /// The maps' outputs, and the gradients of a weighted sum of them.
    func pass(_ input: Variable) -> (outputs: [Tensor], gradients: [String: Tensor]) {
      let rows = NormalisedRows(input, norm)
      let outputs = maps.map { rows.mapped(by: $0) }
      let terms = zip(outputs, weights).map { output, weight in
        output.reshaped([1, weight.count]).product(Variable(weight.reshaped([weight.count, 1])))
      }
      let gradients = Gradients()
      gradients.addBackward(from: terms.dropFirst().reduce(terms[0], +).sum())
      var found: [String: Tensor] = [:]
      let modules: [(String, any Module)] =
        [("norm", norm)] + maps.enumerated().map { ("map\($0.offset)", $0.element) }
      for (name, module) in modules {
        for entry in module.namedParameters {
          found["\(name).\(entry.name)"] = entry.parameter.gradient(in: gradients)
        }
      }
      return (outputs.map(\.value), found)
    }

    // A leaf wants a gradient of its own, so nothing can be folded.
    let plain = pass(.leaf(x))
    let folded = pass(Variable(x))
    for (a, b) in zip(folded.outputs, plain.outputs) {
      #expect(difference(a, b, relative: 1e-5) == nil)
    }
    #expect(folded.gradients.count == 6 && plain.gradients.count == 6)
    for (name, gradient) in plain.gradients {
      let other = try #require(folded.gradients[name])
      #expect(difference(other, gradient, relative: 1e-5) == nil, "\(name)")
    }
  }

  /// Keys and values that are not computed leave all gradients as they are, γ's and β's too.
  @Test(arguments: [nil, Dropout(rate: 0.2, generator: Philox(seed: 3), site: 1)])
  func attendedEqualsMapped(_ dropout: Dropout?) throws {
    let initialiser = ParameterInitialiser(seed: 9)
    let norm = LayerNorm(width: 12, epsilon: 1e-5, initialiser)
    norm.weight.value = Tensor((0..<12).map { 0.5 + 0.1 * Float($0) }, shape: [12])
    norm.bias.value = Tensor((0..<12).map { 0.3 - 0.07 * Float($0) }, shape: [12])
    let maps = (0..<2).map { _ in Linear(inputs: 12, outputs: 8, start: .uniform, initialiser) }
    let x = Variable(randomTensor([9, 12], seed: 1))
    let queries = Variable(randomTensor([5, 8], seed: 2))
    let layout = AttentionLayout(groups: [
      .init(queries: [.init(rows: 0..<2, visibleKeys: 4)], keys: [0..<4]),
      .init(queries: [.init(rows: 2..<5, visibleKeys: 5)], keys: [4..<9]),
    ])
    let options = AttentionOptions(headCount: 2, scale: 0.5, dropout: dropout)
    let modules: [any Module] = [norm] + maps

    func pass(_ attend: (NormalisedRows) -> Variable) -> [Tensor?] {
      let y = attend(NormalisedRows(x, norm))
      let gradients = Gradients()
      gradients.addBackward(from: y, gradient: randomTensor(y.shape, seed: 3))
      return [y.value]
        + modules.flatMap(\.namedParameters).map { $0.parameter.gradient(in: gradients) }
    }

    let mapped = pass {
      queries.attention(
        keys: $0.mapped(by: maps[0]), values: $0.mapped(by: maps[1]), layout: layout,
        options: options)
    }
    let attended = pass {
      $0.attended(by: queries, key: maps[0], value: maps[1], layout: layout, options: options)
    }
    #expect(mapped.count == 7)
    for (index, pair) in zip(attended, mapped).enumerated() {
      let (found, expected) = (try #require(pair.0), try #require(pair.1))
      #expect(
        difference(found, expected, relative: 1e-4, absolute: 1e-6) == nil, "result \(index)")
    }
  }

  /// In evaluation there is nothing to fold for.
  @Test func evaluationIsThatOfTheNormItself() {
    let initialiser = ParameterInitialiser(seed: 9)
    let norm = LayerNorm(width: 4, epsilon: 1e-5, initialiser)
    let map = Linear(inputs: 4, outputs: 3, start: .uniform, initialiser)
    let x = Variable(Tensor([1, 2, -3, 0.5, 0, 1, 0, 2], shape: [2, 4]))
    withoutGradients {
      #expect(NormalisedRows(x, norm).mapped(by: map).value.values == map(norm(x)).value.values)
    }
  }
}
