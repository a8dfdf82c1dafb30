import Autograd
import Foundation
import LanguageModels
import Layers
import Tensors
import TestSupport
import Testing

@testable import BLIP2
@testable import Objectives

/// Several processes that share a batch, threads here, come to what one with all of it comes to: losses and
/// every gradient, with dropout, whatever each has of the batch.
@Suite(.timeLimit(.minutes(10))) struct PartsTests {
  /// What each of two, three and four has of six pairs, evenly or not.
  static let partitions: [[[Int]]] = [
    [[0, 2, 4], [1, 3, 5]], [[3], [0, 1, 2, 4, 5]], [[0, 3], [1, 4], [2, 5]],
    [[0, 4], [1, 5], [2], [3]],
  ]

  struct Outcome: @unchecked Sendable {
    let losses: [Float?]
    let gradients: [String: Tensor]
    let features: Tensor?
  }

  private static func values(
    _ parameters: [NamedParameter], _ gradients: Gradients
  ) -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: parameters.compactMap { entry in
        entry.parameter.gradient(in: gradients).map { (entry.name, $0) }
      })
  }

  private static func expectSame(
    _ parts: [Outcome], _ whole: Outcome, places: [[Int]], _ comment: String
  ) {
    #expect(parts.count == places.count)
    for part in parts {
      for (found, expected) in zip(part.losses, whole.losses) {
        #expect((found == nil) == (expected == nil), "\(comment)")
        guard let found, let expected else { continue }
        #expect(abs(found - expected) <= 1e-5 * max(expected, 1e-3), "\(comment)")
      }
    }
    for (name, expected) in whole.gradients {
      let sum = parts.compactMap { $0.gradients[name] }
        .reduce(Tensor.zeros(expected.shape), +)
      #expect(difference(sum, expected, relative: 1e-4) == nil, "\(name), \(comment)")
    }
    guard let expected = whole.features else { return }
    let size = expected.count / expected.shape[0]
    for (part, places) in zip(parts, places) {
      let own = places.flatMap { Array(expected.values[$0 * size..<($0 + 1) * size]) }
      let found = part.features ?? .zeros([places.count] + expected.shape.dropFirst())
      #expect(
        difference(found, Tensor(own, shape: found.shape), relative: 1e-4, absolute: 1e-6) == nil,
        "features, \(comment)")
    }
  }

  // MARK: Stage 1

  private struct StageOneCase: @unchecked Sendable {
    var objectives = [true, true, true]
    var throughNegatives = false
    var imageIds: [Int64] = [0, 1, 2, 3, 4, 5]
    /// For the whole batch; nil where they are drawn.
    var negatives: HardNegatives?
  }

  private static func stageOne(
    _ example: StageOneCase, _ places: [Int], chunkSize: Int?, _ communicator: some Communicator
  ) -> Outcome {
    let model = TinyStageOne.model {
      $0.objectives.contrast = example.objectives[0]
      $0.objectives.matching = example.objectives[1]
      $0.objectives.generation = example.objectives[2]
      $0.gradientThroughNegatives = example.throughNegatives
    }
    let all = TinyStageOne.features(pairs: 6)
    let (tokens, width) = (TinyStageOne.imageTokens, TinyStageOne.visionWidth)
    let rows = places.flatMap { place in
      (0..<tokens).map { Int32(place * tokens + $0) }
    }
    let own = Variable(all).gatheredRows(rows).value.reshaped([places.count, tokens, width])
    let pixels = Variable.leaf(own)
    let gradients = Gradients()
    let negatives = example.negatives.map { all in
      NegativeChoice.given(
        HardNegatives(images: places.map { all.images[$0] }, texts: places.map { all.texts[$0] }))
    }
    let losses = model.addGradients(
      of: TinyStageOne.batch(places, features: pixels * 2, imageIds: example.imageIds),
      inChunksOf: chunkSize, negatives: negatives ?? .drawn(Philox(seed: 8)),
      in: GradientStep(
        randomness: TrainingRandomness(rate: 0.3, seed: 2, step: 3), communicator: communicator,
        weight: 0.25, to: gradients))
    return Outcome(
      losses: [losses.contrast, losses.matching, losses.generation],
      gradients: values(model.namedParameters, gradients), features: gradients[pixels])
  }

  private static func expectSame(_ example: StageOneCase, _ comment: String) {
    let whole = stageOne(example, Array(0..<6), chunkSize: nil, SingleProcess())
    for places in partitions {
      for chunkSize in [nil, 1, 2] {
        let parts = inThreads(places.count) { communicator in
          stageOne(
            example, places[communicator.rank], chunkSize: chunkSize, communicator)
        }
        expectSame(
          parts, whole, places: places, "\(comment), \(places) by \(chunkSize ?? 0)")
      }
    }
  }

  @Test(arguments: ChunkedStepTests.choices, [false, true])
  func sharesEqualTheWhole(_ objectives: [Bool], _ throughNegatives: Bool) {
    Self.expectSame(
      StageOneCase(objectives: objectives, throughNegatives: throughNegatives),
      "\(objectives), through negatives: \(throughNegatives)")
  }

  /// Several captions of an image; pairs without an admissible negative.
  @Test(arguments: [[3, 5, 3, 6, 5, 3], [8, 8, 8, 8, 8, 8]] as [[Int64]], [false, true])
  func severalCaptionsOfAnImage(_ imageIds: [Int64], _ throughNegatives: Bool) {
    Self.expectSame(
      StageOneCase(throughNegatives: throughNegatives, imageIds: imageIds), "\(imageIds)")
  }

  /// One image that is everyone's negative is judged by processes that do not have it.
  @Test func oneImageMayBeTheNegativeOfAll() {
    let negatives = HardNegatives(images: [5, 4, 4, 4, nil, 4], texts: [1, 0, 0, 0, 0, nil])
    Self.expectSame(StageOneCase(negatives: negatives), "given")
  }

  /// A process that is not told of the others computes something else.
  @Test func theOthersMatter() throws {
    var example = StageOneCase()
    example.objectives = [true, false, false]
    let alone = Self.stageOne(example, [0, 1, 2], chunkSize: nil, SingleProcess())
    let whole = Self.stageOne(example, Array(0..<6), chunkSize: nil, SingleProcess())
    #expect(abs(try #require(alone.losses[0]) - #require(whole.losses[0])) > 0.1)
  }

  // MARK: Stage 2

  private static let texts = (0..<6).map { index in
    ConditionedText(
      prefix: index % 2 == 0 ? [7, 1] : [], target: Array([4, 5, 6, 8, 9, 10, 1].suffix(index + 1)))
  }

  private static func stageTwo(
    hasEncoder: Bool, _ places: [Int], _ communicator: some Communicator
  ) -> Outcome {
    let languageModel = StageTwoModelTests().tiny(hasEncoder: hasEncoder)
    let model = StageTwoModelTests().model()
    let all = randomTensor([6, 5, 12], seed: 5)
    let rows = places.flatMap { place in (0..<5).map { Int32(place * 5 + $0) } }
    let own = Variable.leaf(
      Variable(all).gatheredRows(rows).value.reshaped([places.count, 5, 12]))
    // An encoder reads something, its end at least.
    let texts = places.map { place in
      var text = Self.texts[place]
      if hasEncoder, text.prefix.isEmpty { text.prefix = [1] }
      return text
    }
    let gradients = Gradients()
    let loss = model.addGradients(
      of: own, texts: texts, indices: places, languageModel: languageModel,
      in: GradientStep(
        randomness: TrainingRandomness(rate: 0.3, seed: 2, step: 3), communicator: communicator,
        weight: 0.5, to: gradients))
    return Outcome(
      losses: [loss], gradients: values(model.namedParameters, gradients),
      features: gradients[own])
  }

  @Test(arguments: [true, false])
  func sharesOfStageTwoEqualTheWhole(_ hasEncoder: Bool) {
    let whole = Self.stageTwo(hasEncoder: hasEncoder, Array(0..<6), SingleProcess())
    for places in Self.partitions {
      let parts = inThreads(places.count) { communicator in
        Self.stageTwo(hasEncoder: hasEncoder, places[communicator.rank], communicator)
      }
      Self.expectSame(parts, whole, places: places, "\(places)")
    }
  }
}

/// What threads say to one another.
@Suite struct ThreadCommunicatorTests {
  @Test func everybodyHearsTheSame() {
    let heard = inThreads(3) { all in
      let rank = all.rank
      let numbers = all.gathered((0..<rank).map { Int64($0) })
      let sum = all.summed(Tensor([Float(rank), 1], shape: [2])).values
      let rows = all.exchanged(
        (0..<3).map { $0 == rank ? nil : Tensor([Float(10 * rank + $0)], shape: [1, 1]) })
      let flags = [all.any(rank == 2), all.any(false)]
      return "\(numbers) \(sum) \(rows.map { $0?.values.first ?? -1 }) \(flags)"
    }
    for rank in 0..<3 {
      let rows = (0..<3).map { $0 == rank ? -1.0 : Float(10 * $0 + rank) }
      #expect(
        heard[rank] == "[[], [0], [0, 1]] [3.0, 3.0] \(rows) [true, false]")
    }
  }
}
