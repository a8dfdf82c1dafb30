import Autograd
import Layers
import Tensors
import TestSupport
import Testing

@testable import BLIP2
@testable import Objectives

/// A batch that goes through the Q-Former in chunks gives what it gives as a whole.
@Suite struct ChunkedStepTests {
  struct Outcome {
    let losses: [Float?]
    let gradients: [String: Tensor]
    let features: Tensor?
  }

  struct Case: CustomStringConvertible {
    var objectives = [true, true, true]
    /// Of contrast, matching, generation.
    var weights: [Float] = [1, 1, 1]
    var throughNegatives = false
    var imageIds: [Int64]?
    var negatives = NegativeChoice.drawn(Philox(seed: 8))
    var precision = ProductPrecision.float32
    /// Features of a frozen encoder, which two queries read without keys and values where they are read
    /// once.
    var isAbsorbed = false

    var description: String {
      "objectives \(objectives), through negatives: \(throughNegatives), ids: \(imageIds ?? [])"
    }
  }

  /// Dropout acts, and the loss counts for a quarter. The features come from a variable, as those of
  /// an encoder that is trained.
  private func outcome(_ example: Case, chunkSize: Int?) -> Outcome {
    let model = TinyStageOne.model {
      $0.objectives.contrast = example.objectives[0]
      $0.objectives.matching = example.objectives[1]
      $0.objectives.generation = example.objectives[2]
      $0.lossWeights.contrast = example.weights[0]
      $0.lossWeights.matching = example.weights[1]
      $0.lossWeights.generation = example.weights[2]
      $0.gradientThroughNegatives = example.throughNegatives
      if example.isAbsorbed { $0.qFormer.queries = 2 }
    }
    model.multiply(in: example.precision)
    let pixels = Variable.leaf(TinyStageOne.features(pairs: 6))
    let features = pixels * 2
    let batch = StageOneBatch(
      features: example.isAbsorbed ? features.detached : features, texts: TinyStageOne.texts,
      imageIds: example.imageIds, indices: Array(12..<18))
    let gradients = Gradients()
    let losses = model.addGradients(
      of: batch, inChunksOf: chunkSize, negatives: example.negatives,
      in: GradientStep(
        randomness: TrainingRandomness(rate: 0.3, seed: 2, step: 3),
        communicator: SingleProcess(), weight: 0.25, to: gradients))
    return Outcome(
      losses: [losses.contrast, losses.matching, losses.generation],
      gradients: Dictionary(
        uniqueKeysWithValues: model.namedParameters.compactMap { entry in
          entry.parameter.gradient(in: gradients).map { (entry.name, $0) }
        }), features: gradients[pixels])
  }

  private func expectSame(_ chunked: Outcome, _ whole: Outcome, _ comment: String) {
    for (found, expected) in zip(chunked.losses, whole.losses) {
      #expect((found == nil) == (expected == nil), "\(comment)")
      guard let found, let expected else { continue }
      #expect(abs(found - expected) <= 1e-5 * expected, "\(comment)")
    }
    for (name, expected) in whole.gradients {
      let found = chunked.gradients[name] ?? .zeros(expected.shape)
      #expect(difference(found, expected, relative: 1e-4) == nil, "\(name), \(comment)")
    }
    #expect(Set(chunked.gradients.keys).isSubset(of: whole.gradients.keys), "\(comment)")
    #expect((chunked.features == nil) == (whole.features == nil), "\(comment)")
    guard let found = chunked.features, let expected = whole.features else { return }
    #expect(difference(found, expected, relative: 1e-4) == nil, "features, \(comment)")
  }

  static let choices = (1..<8).map { choice in (0..<3).map { choice >> $0 & 1 == 1 } }

  @Test(arguments: choices, [false, true])
  func chunksEqualTheWhole(_ objectives: [Bool], _ throughNegatives: Bool) {
    for imageIds in [nil, [3, 5, 3, 6, 5, 3], [8, 8, 8, 8, 8, 8]] as [[Int64]?] {
      let example = Case(
        objectives: objectives, throughNegatives: throughNegatives, imageIds: imageIds)
      let whole = outcome(example, chunkSize: nil)
      #expect(whole.features != nil)
      for chunkSize in [1, 2, 4, 5] {
        expectSame(
          outcome(example, chunkSize: chunkSize), whole, "\(example) by \(chunkSize)")
      }
    }
  }

  @Test(arguments: choices, [false, true])
  func chunksOfFrozenFeaturesEqualTheWhole(
    _ objectives: [Bool], _ throughNegatives: Bool
  ) {
    let example = Case(
      objectives: objectives, throughNegatives: throughNegatives, isAbsorbed: true)
    let whole = outcome(example, chunkSize: nil)
    #expect(whole.features == nil)
    // What shifts all scores of a row has a gradient of rounding, or none where keys are not computed.
    let keyBiases = whole.gradients.filter { $0.key.hasSuffix("crossAttention.key.bias") }
    #expect(!keyBiases.isEmpty)
    #expect(keyBiases.values.allSatisfy { $0.values.allSatisfy { $0 == 0 } } == !objectives[1])
    for chunkSize in [1, 4] {
      expectSame(outcome(example, chunkSize: chunkSize), whole, "\(example) by \(chunkSize)")
    }
  }

  /// The gradients are the sum of each loss's own, weighted; the losses are told without.
  @Test(arguments: [nil, 4])
  func lossesCountForTheirWeights(_ chunkSize: Int?) {
    let weights: [Float] = [2, 0.5, 3]
    var example = Case()
    example.weights = weights
    let found = outcome(example, chunkSize: chunkSize)
    var (losses, gradients, features) = ([Float?](), [String: Tensor](), Tensor?.none)
    for (number, weight) in weights.enumerated() {
      let alone = outcome(
        Case(objectives: weights.indices.map { $0 == number }), chunkSize: nil)
      losses.append(alone.losses[number])
      for (name, gradient) in alone.gradients {
        gradients[name] = gradients[name].map { $0 + gradient * weight } ?? gradient * weight
      }
      features = alone.features.map { part in features.map { $0 + part * weight } ?? part * weight }
    }
    expectSame(
      found, Outcome(losses: losses, gradients: gradients, features: features),
      "by \(chunkSize ?? 0)")
  }

  /// Chunks that were batches of their own would have another contrast, which the tests above see.
  @Test func theContrastIsThatOfAllPairs() {
    var example = Case()
    example.objectives = [true, false, false]
    let whole = outcome(example, chunkSize: nil)
    let parts = Gradients()
    let model = TinyStageOne.model {
      $0.objectives.matching = false
      $0.objectives.generation = false
    }
    let part = model.addGradients(
      of: TinyStageOne.batch(0..<3), negatives: example.negatives,
      in: GradientStep(communicator: SingleProcess(), to: parts))
    #expect(abs((part.contrast ?? 0) - (whole.losses[0] ?? 0)) > 0.1)
  }

  /// One image that is everyone's negative is wanted by chunks that it does not lie in.
  @Test func oneImageMayBeTheNegativeOfAll() {
    let negatives = HardNegatives(images: [5, 4, 4, 4, nil, 4], texts: [1, 0, 0, 0, 0, nil])
    let example = Case(negatives: .given(negatives))
    let whole = outcome(example, chunkSize: nil)
    for chunkSize in 1...5 {
      expectSame(outcome(example, chunkSize: chunkSize), whole, "by \(chunkSize)")
    }
  }

  /// In bfloat16 the losses are as close, and gradients, which are rounded in other parts, no farther
  /// from those in float32 than one and a half times what the whole's are. The gradient of the keys' bias,
  /// which adds the same to all scores of a query, is nothing but rounding and says nothing.
  @Test func chunksInBFloat16() throws {
    let example = Case(precision: .bfloat16)
    let (exact, whole) = (outcome(Case(), chunkSize: nil), outcome(example, chunkSize: nil))
    for chunkSize in [1, 4] {
      let chunked = outcome(example, chunkSize: chunkSize)
      for (found, expected) in zip(chunked.losses, whole.losses) {
        let (found, expected) = (try #require(found), try #require(expected))
        #expect(abs(found - expected) <= 1e-5 * expected)
      }
      #expect(Set(chunked.gradients.keys) == Set(whole.gradients.keys))
      for (name, gradient) in exact.gradients where !name.hasSuffix("key.bias") {
        let found = try distance(#require(chunked.gradients[name]), gradient)
        let allowed = try distance(#require(whole.gradients[name]), gradient)
        #expect(found <= 1.5 * allowed, "\(name), by \(chunkSize)")
      }
    }
  }

  /// The Euclidean distance.
  private func distance(_ a: Tensor, _ b: Tensor) -> Float {
    zip(a.values, b.values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
  }

  @Test func aChunkOfTheBatchIsTheWhole() {
    let whole = outcome(Case(), chunkSize: nil)
    for chunkSize in [6, 7] {
      let chunked = outcome(Case(), chunkSize: chunkSize)
      #expect(chunked.losses == whole.losses)
      #expect(chunked.gradients.mapValues(\.values) == whole.gradients.mapValues(\.values))
    }
  }

  /// Each candidate comes once; a chunk of n pairs judges n of their own, n negative texts and n
  /// negative images at most; without a crowd a candidate is where its image is.
  @Test func sharesOfCandidates() {
    let chunks = [0..<4, 4..<8, 8..<10]
    let crowded = HardNegatives(
      images: (0..<10).map { $0 == 1 ? 2 : 1 }, texts: (0..<10).map { ($0 + 1) % 10 })
    let next = TinyStageOne.nextPairs(10)
    for negatives in [crowded, next] {
      let candidates = MatchingCandidate.all(pairs: 10, negatives: negatives)
      let batch = StageOneBatch(
        features: Variable(.zeros([10, 1, 1])), texts: Array(repeating: [1, 2], count: 10))
      let plan = ChunkPlan(batch.whole(SingleProcess()), chunkSize: 4)
      #expect(plan.chunks == chunks.map { Array($0) })
      let shares = plan.shares(of: candidates)
      func key(_ candidate: MatchingCandidate) -> [Int] {
        [candidate.image, candidate.text, candidate.kind.rawValue, candidate.origin]
      }
      #expect(Set(shares.joined().map(key)) == Set(candidates.map(key)))
      #expect(shares.map(\.count) == [12, 12, 6])
      for (share, range) in zip(shares, chunks) {
        let elsewhere = share.filter { !range.contains($0.image) }
        #expect(elsewhere.allSatisfy { $0.kind == .negativeImage })
        if negatives == next { #expect(elsewhere.isEmpty) }
      }
    }
  }
}
