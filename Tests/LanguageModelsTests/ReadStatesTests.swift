import Autograd
import Layers
import Tensors
import TestSupport
import Testing

@testable import LanguageModels

/// States that nobody reads may be left out: the others, and all gradients, are what they were.
@Suite struct ReadStatesTests {
  enum Kind: CaseIterable {
    case opt, optWithNormsLast, llama

    func model() -> any CausalLanguageModel {
      let initialiser = ParameterInitialiser(seed: 9)
      if self == .llama {
        var sizes = LlamaConfiguration()
        (sizes.width, sizes.headWidth, sizes.heads, sizes.keyHeads) = (16, 4, 4, 2)
        (sizes.layers, sizes.feedForwardWidth, sizes.vocabularySize) = (2, 24, 20)
        sizes.initialDeviation = 0.3
        return Llama(sizes, initialiser)
      }
      var sizes = OPTConfiguration()
      (sizes.width, sizes.embeddingWidth, sizes.heads) = (16, self == .opt ? 16 : 12, 4)
      (sizes.layers, sizes.feedForwardWidth, sizes.vocabularySize) = (2, 24, 20)
      sizes.maximumPositions = 40
      sizes.normsComeFirst = self == .opt
      sizes.initialDeviation = 0.3
      return OPT(sizes, initialiser)
    }
  }

  @Test(
    arguments: Kind.allCases, [[4..<7], [2..<3, 6..<7, 8..<9], [0..<9], [1..<4, 5..<9]])
  func statesAndGradients(_ kind: Kind, _ runs: [Range<Int>]) {
    let model = kind.model()
    let read = OutputRows(runs)
    let input = randomTensor([9, model.embeddingWidth], seed: 4)
    let passes = [true, false].map { leavesOut in
      let leaf = Variable.leaf(input)
      let memory = KVCache(layers: model.layerCount, lengths: [3, 4, 2])
      let pass = SequencePass.causal(
        [3, 4, 2], memory: memory, reading: leavesOut ? read : nil)
      let states = model.states(leaf, pass)
      let chosen = leavesOut ? states : states.gatheredRows(read.indices)
      let gradients = Gradients()
      gradients.addBackward(from: chosen, gradient: randomTensor(chosen.shape, seed: 5))
      // One more row shows what the memory holds.
      let next = model.states(
        Variable(input.rows(0..<3)), SequencePass(step: memory))
      let all = model.namedParameters.map {
        $0.parameter.gradient(in: gradients) ?? .zeros($0.parameter.shape)
      }
      return [chosen.value, gradients[leaf] ?? .zeros(input.shape), next.value] + all
    }
    for (index, (found, expected)) in zip(passes[0], passes[1]).enumerated() {
      #expect(difference(found, expected, relative: 1e-5) == nil, "result \(index)")
    }
  }
}
