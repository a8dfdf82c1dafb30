import Autograd
import Foundation
import Layers
import Tensors
import TestSupport
import Testing

@testable import BLIP2
@testable import Objectives

/// A training step at its edges: one pair, some objectives, a temperature gone astray.
@Suite struct StageOneStepTests {
  private func gradients(_ loss: Variable) -> Gradients {
    let gradients = Gradients()
    gradients.addBackward(from: loss)
    return gradients
  }

  /// Gradients of all parameters, by name; none counts as zero.
  private func values(_ model: StageOneModel, _ gradients: Gradients) -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: model.namedParameters.map {
        ($0.name, $0.parameter.gradient(in: gradients) ?? .zeros($0.parameter.shape))
      })
  }

  /// One pair, and several of one image: nothing to compare with, yet all is defined.
  @Test(arguments: [1, 3])
  func withoutNegatives(_ pairs: Int) throws {
    let model = TinyStageOne.model()
    let batch = TinyStageOne.batch(0..<pairs, imageIds: [8, 8, 8, 8, 8, 8])
    let losses = model.losses(
      batch, negatives: .drawn(Philox(seed: 1)),
      randomness: TrainingRandomness(rate: 0.1, seed: 1, step: 0))
    let logits = try #require(losses.matchingLogits)
    #expect(logits.shape == [pairs, 2], "the own pairs alone are judged")
    if pairs == 1 { #expect(losses.contrast?.value.scalar == 0) }
    // −log of the match probability.
    let expected =
      (0..<pairs).reduce(0.0) { sum, pair in
        let row = logits.value.rows(pair..<pair + 1).values.map(Double.init)
        return sum + log(1 + exp(row[0] - row[1]))
      } / Double(pairs)
    let matching = try #require(losses.matching).value
    #expect(difference(matching, Tensor(Float(expected)), relative: 1e-5, absolute: 0) == nil)
    let generation = try #require(losses.generation).value.scalar
    #expect(generation.isFinite && generation > 0)
    let gradients = gradients(losses.total)
    for (name, gradient) in values(model, gradients) {
      #expect(gradient.values.allSatisfy { $0.isFinite }, "\(name)")
    }
    if pairs == 1 {
      #expect(values(model, gradients)["temperature"]?.scalar == 0)
      #expect(values(model, gradients)["textProjection.weight"]?.squaredNorm() == 0)
    }
    #expect(try #require(gradients[batch.features]).values.contains { $0 != 0 })
  }

  struct Chosen: CustomStringConvertible {
    let contrast, matching, generation: Bool
    var description: String {
      [contrast ? "ITC" : "", matching ? "ITM" : "", generation ? "ITG" : ""]
        .joined(separator: " ")
    }
  }

  static let choices = (1..<8).map {
    Chosen(contrast: $0 & 1 != 0, matching: $0 & 2 != 0, generation: $0 & 4 != 0)
  }

  /// Each choice of objectives gives the sum of its losses and of their gradients.
  @Test(arguments: choices)
  func objectivesCanBeLeftOut(_ chosen: Chosen) throws {
    let batch = TinyStageOne.batch()
    let negatives = NegativeChoice.given(TinyStageOne.nextPairs(4))
    func run(_ chosen: Chosen) -> (StageOneModel.Losses, [String: Tensor]) {
      let model = TinyStageOne.model {
        $0.objectives.contrast = chosen.contrast
        $0.objectives.matching = chosen.matching
        $0.objectives.generation = chosen.generation
      }
      let losses = model.losses(batch, negatives: negatives)
      return (losses, values(model, gradients(losses.total)))
    }
    let (losses, sums) = run(chosen)
    #expect((losses.contrast != nil) == chosen.contrast)
    #expect((losses.matching != nil) == chosen.matching)
    #expect((losses.generation != nil) == chosen.generation)
    #expect((losses.matchingLogits != nil) == chosen.matching)
    let parts = [losses.contrast, losses.matching, losses.generation].compactMap {
      $0?.value.scalar
    }
    #expect(
      difference(losses.total.value, Tensor(parts.reduce(0, +)), relative: 1e-6, absolute: 0)
        == nil)
    // Each of them by itself.
    var expected = sums.mapValues { Tensor.zeros($0.shape) }
    for single in Self.choices {
      let bits = [single.contrast, single.matching, single.generation]
      guard bits.count(where: { $0 }) == 1,
        zip(bits, [chosen.contrast, chosen.matching, chosen.generation])
          .allSatisfy({ !$0 || $1 })
      else { continue }
      let (_, gradients) = run(single)
      for (name, gradient) in gradients { expected[name]!.add(gradient) }
    }
    for (name, sum) in sums {
      #expect(difference(sum, expected[name]!, relative: 1e-4) == nil, "\(name)")
    }
  }

  /// A temperature at or below zero counts as 0.001, and its gradient can only lift it.
  @Test(arguments: [Float(0), -0.5, 1e-30, 0.0009])
  func theTemperatureIsGuarded(_ value: Float) throws {
    let batch = TinyStageOne.batch()
    func run(_ temperature: Float) throws -> (Float, Float) {
      let model = TinyStageOne.model { $0.objectives.generation = false }
      model.temperature.value = Tensor(temperature)
      let losses = model.losses(batch, negatives: .drawn(Philox(seed: 2)))
      let gradients = gradients(losses.total)
      for (name, gradient) in values(model, gradients) {
        #expect(gradient.values.allSatisfy { $0.isFinite }, "\(name)")
      }
      let slope = try #require(model.temperature.gradient(in: gradients)).scalar
      return (losses.total.value.scalar, slope)
    }
    let (loss, slope) = try run(value)
    let (least, leastSlope) = try run(0.001)
    #expect(loss == least && loss.isFinite)
    #expect(slope == min(leastSlope, 0))
  }

  /// Above the guard the temperature divides as it is.
  @Test func theTemperatureDividesTheSimilarities() {
    func similarities(_ temperature: Float) -> Tensor {
      let own = randomTensor([2 * 3, 5], seed: 1)
      return ImageTextContrast()(
        images: Variable(own).unitRows(),
        texts: Variable(randomTensor([2, 5], seed: 2)).unitRows(),
        of: WholeBatch(
          indices: [0, 1], imageIds: [0, 1], texts: [[1, 2], [1, 2]], SingleProcess()),
        temperature: Variable(Tensor(temperature)),
        communicator: SingleProcess()
      ).imageToText
    }
    #expect(difference(similarities(0.25) * 0.25, similarities(1), relative: 1e-6) == nil)
  }

  /// All gradients of the sum, dropout acting, against finite differences. Only with the gradient
  /// through the features compared against is the backward pass the derivative of the loss.
  @Test func gradientsOfTheTotalLoss() throws {
    let model = TinyStageOne.model { $0.gradientThroughNegatives = true }
    let batch = TinyStageOne.batch()
    let randomness = TrainingRandomness(rate: 0.2, seed: 3, step: 5)
    // The loss, about 5, is a float32: its last place over two steps is 1.2e-4.
    let problems = gradientDifferences(
      of: model.namedParameters, step: 2e-3, tolerance: 2e-3, noise: 3e-4
    ) {
      model.losses(
        batch, negatives: .given(TinyStageOne.nextPairs(4)), randomness: randomness
      ).total
    }
    #expect(problems == [])
  }
}
