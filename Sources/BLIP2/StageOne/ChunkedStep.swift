import Autograd
import Layers
import Tensors

extension StageOneModel {
  /// The losses of a batch as numbers; those that the configuration leaves out are nil.
  public struct LossValues {
    public internal(set) var contrast: Float?
    public internal(set) var matching: Float?
    public internal(set) var generation: Float?

    init() {}

    public init(_ losses: Losses) {
      contrast = losses.contrast?.value.scalar
      matching = losses.matching?.value.scalar
      generation = losses.generation?.value.scalar
    }
  }

  /// Adds the gradients of a batch's total loss to a store.
  /// - Parameters:
  ///   - chunkSize: Pairs that go through the Q-Former at once (`ChunkedStep`); nil for all. Losses
  ///     and gradients are the same but for rounding.
  ///   - weight: What the loss counts for, such as 1/N with N micro-batches.
  ///   - betweenChunks: Called before each chunk; what it throws ends the step, half done.
  public func addGradients(
    of batch: StageOneBatch, inChunksOf chunkSize: Int? = nil, negatives: NegativeChoice,
    randomness: TrainingRandomness? = nil, communicator: some Communicator = SingleProcess(),
    weight: Float = 1, to gradients: Gradients, betweenChunks: (() throws -> Void)? = nil
  ) rethrows -> LossValues {
    if let chunkSize, chunkSize < batch.texts.count {
      let step = ChunkedStep(
        self, batch, chunkSize: chunkSize, randomness: randomness, weight: weight,
        gradients: gradients)
      return try step.run(
        negatives: negatives, communicator: communicator, betweenChunks: betweenChunks)
    }
    let losses = losses(
      batch, negatives: negatives, randomness: randomness, communicator: communicator)
    gradients.addBackward(from: losses.total, weight: weight)
    return LossValues(losses)
  }
}

/// A training step whose batch goes through the Q-Former chunk by chunk, so that its contrast may be
/// larger than memory (GradCache, Gao et al. 2021).
///
/// The contrastive loss needs of a pair only its features. They are made chunk by chunk and all that
/// led to them is dropped; the loss of the whole batch gives their gradients, and the similarities
/// from which hard negatives are drawn. Then each chunk is run again, as a part of the other losses,
/// and backwards, its features from the gradients that wait for them. Random draws belong to places
/// in the batch and not in a chunk, so both runs, and a step without chunks, draw the same.
struct ChunkedStep {
  private let model: StageOneModel
  private let batch: StageOneBatch
  private let chunks: [Range<Int>]
  private let randomness: TrainingRandomness?
  private let weight: Float
  private let gradients: Gradients
  /// The image features, `[pairs, tokens, vision width]`: chunks must not run back into the encoder,
  /// which has one backward pass in the end.
  private let features: CutVariable

  init(
    _ model: StageOneModel, _ batch: StageOneBatch, chunkSize: Int,
    randomness: TrainingRandomness?, weight: Float, gradients: Gradients
  ) {
    precondition(chunkSize >= 1, "a chunk of \(chunkSize) pairs")
    self.model = model
    self.batch = batch
    chunks = stride(from: 0, to: batch.texts.count, by: chunkSize).map {
      $0..<min(batch.texts.count, $0 + chunkSize)
    }
    self.randomness = randomness
    self.weight = weight
    self.gradients = gradients
    features = CutVariable(
      batch.features.value, needsGradient: batch.features.needsGradient)
  }

  func run(
    negatives: NegativeChoice, communicator: some Communicator,
    betweenChunks: (() throws -> Void)? = nil
  ) rethrows -> StageOneModel.LossValues {
    let objectives = model.configuration.objectives
    var values = StageOneModel.LossValues()
    var unit: UnitFeatureGradients?
    var candidates: [[ImageTextMatching.Candidate]] = []
    if objectives.contrast || objectives.matching {
      let (contrast, gradients) = try contrast(communicator, betweenChunks)
      if objectives.contrast { values.contrast = contrast.loss.value.scalar }
      unit = gradients
      if objectives.matching {
        candidates = ImageTextMatching.shares(
          of: ImageTextMatching(model: model).candidates(
            batch, contrast: contrast, negatives: negatives),
          among: chunks)
      }
    }
    // Sums in double precision, of each loss times the chunk's share.
    var (matching, generation) = (0.0, 0.0)
    let candidateCount = candidates.reduce(0) { $0 + $1.count }
    for (number, range) in chunks.enumerated() {
      try betweenChunks?()
      var roots = Roots(weight: weight)
      let judged = candidates.isEmpty ? [] : candidates[number]
      let images = imageMemory(range, and: judged)
      if unit != nil || objectives.generation {
        generation += addFirstPass(range, images: images.layers, unit: unit, to: &roots)
      }
      if !judged.isEmpty {
        let result = ImageTextMatching(model: model).result(
          images.renumbered(judged), of: batch, images: images.layers, randomness: randomness)
        matching += roots.add(
          result.loss, weight: model.configuration.lossWeights.matching, share: judged.count,
          of: candidateCount)
      }
      gradients.addBackward(from: roots.results)
    }
    if objectives.matching { values.matching = Float(matching) }
    if objectives.generation { values.generation = Float(generation) }
    if let gradient = features.takeGradient(from: gradients) {
      gradients.addBackward(from: batch.features, gradient: gradient)
    }
    return values
  }

  // MARK: The contrast of the whole batch

  /// The gradients of the unit features of all pairs.
  private struct UnitFeatureGradients {
    /// `[pairs · queries, embedding]`.
    let images: Tensor
    /// `[pairs, embedding]`.
    let texts: Tensor
  }

  /// The contrastive loss of the whole batch; its gradients by the features unless it is left out. The
  /// temperature's is added to the store.
  private func contrast(
    _ communicator: some Communicator, _ betweenChunks: (() throws -> Void)?
  ) rethrows -> (ImageTextContrast.Result, UnitFeatureGradients?) {
    var parts: (images: [Variable], texts: [Variable]) = ([], [])
    for range in chunks {
      try betweenChunks?()
      // Recorded, and dropped at once: without recording, norms before products are not folded into
      // them and a few rows are not rounded, so that last bits, in bfloat16 more, would differ.
      let part = part(range)
      let images = model.imageMemory(part.features)
      let first = UnimodalPass(
        model, part, images: images, randomness: randomness, withGeneration: false)
      parts.images.append(model.imageEmbedding(first.queries).detached)
      parts.texts.append(model.textEmbedding(first.classification).detached)
    }
    let images = CutVariable(Variable.concatenatedRows(parts.images).value)
    let texts = CutVariable(Variable.concatenatedRows(parts.texts).value)
    let result = ImageTextContrast(model.configuration)(
      images: images.variable, texts: texts.variable, imageIds: batch.imageIds,
      temperature: model.guardedTemperature, communicator: communicator)
    guard model.configuration.objectives.contrast else { return (result, nil) }
    gradients.addBackward(
      from: result.loss, weight: weight * model.configuration.lossWeights.contrast)
    guard let ofImages = images.takeGradient(from: gradients),
      let ofTexts = texts.takeGradient(from: gradients)
    else { return (result, nil) }
    return (result, UnitFeatureGradients(images: ofImages, texts: ofTexts))
  }

  // MARK: One chunk

  /// Runs a chunk's images and texts by themselves, and its texts after `[DEC]`.
  /// - Returns: The chunk's share of the generation loss.
  private func addFirstPass(
    _ range: Range<Int>, images: [AttentionSource?], unit: UnitFeatureGradients?,
    to roots: inout Roots
  ) -> Double {
    let part = part(range)
    let first = UnimodalPass(
      model, part, images: images, randomness: randomness,
      withGeneration: model.configuration.objectives.generation)
    if let unit {
      let queries = model.queryCount
      roots.add(
        model.imageEmbedding(first.queries),
        unit.images.rows(range.lowerBound * queries..<range.upperBound * queries))
      roots.add(model.textEmbedding(first.classification), unit.texts.rows(range))
    }
    guard let states = first.generationStates else { return 0 }
    return roots.add(
      ImageGroundedGeneration(model: model).loss(part, states: states),
      weight: model.configuration.lossWeights.generation, share: part.targetCount,
      of: batch.targetCount)
  }

  /// The pairs of a chunk as a batch.
  private func part(_ range: Range<Int>) -> StageOneBatch {
    StageOneBatch(
      features: imageFeatures(range).reshaped(
        [range.count, batch.imageTokens, batch.features.shape[2]]),
      texts: Array(batch.texts[range]), imageIds: Array(batch.imageIds[range]),
      firstIndex: batch.firstIndex + range.lowerBound)
  }

  /// `[images · tokens, vision width]`.
  private func imageFeatures(_ range: Range<Int>) -> Variable {
    let tokens = batch.imageTokens
    return features.variable.rows(range.lowerBound * tokens..<range.upperBound * tokens)
  }

  /// What is read of a chunk's images, and of others that its candidates show.
  private func imageMemory(
    _ range: Range<Int>, and candidates: [ImageTextMatching.Candidate]
  ) -> ChunkImages {
    let others = Set(candidates.map(\.image)).subtracting(range).sorted()
    let rows = Variable.concatenatedRows(
      [imageFeatures(range)] + others.map { imageFeatures($0..<$0 + 1) })
    let images = rows.reshaped(
      [range.count + others.count, batch.imageTokens, batch.features.shape[2]])
    return ChunkImages(
      layers: model.imageMemory(images), range: range,
      others: others)
  }
}

/// The images that a chunk looks at: its own, then others of the batch.
private struct ChunkImages {
  /// By layer.
  let layers: [AttentionSource?]
  let range: Range<Int>
  let others: [Int]

  /// Candidates whose images are numbered as they are here.
  func renumbered(
    _ candidates: [ImageTextMatching.Candidate]
  ) -> [ImageTextMatching.Candidate] {
    var numbers: [Int: Int] = [:]
    for (number, image) in (Array(range) + others).enumerated() { numbers[image] = number }
    return candidates.map { candidate in
      guard let number = numbers[candidate.image] else {
        preconditionFailure("image \(candidate.image) is not among those of its chunk")
      }
      var candidate = candidate
      candidate.image = number
      return candidate
    }
  }
}

/// Where a chunk's backward pass begins.
private struct Roots {
  let weight: Float
  private(set) var results: [(variable: Variable, gradient: Tensor)] = []

  init(weight: Float) { self.weight = weight }

  mutating func add(_ variable: Variable, _ gradient: Tensor) {
    results.append((variable, gradient))
  }

  /// Adds a mean over some of a batch's rows, which counts for `lossWeight` in the sum of losses.
  /// - Returns: What it is of the mean over all, not weighted.
  mutating func add(_ loss: Variable, weight lossWeight: Float, share part: Int, of all: Int)
    -> Double
  {
    let share = Double(part) / Double(all)
    add(loss, Tensor(weight * lossWeight * Float(share)))
    return Double(loss.value.scalar) * share
  }
}

/// A value without its history, whose gradient waits in the store to be taken.
private struct CutVariable {
  let variable: Variable
  private let leaf: Leaf

  init(_ value: Tensor, needsGradient: Bool = true) {
    leaf = Leaf(shape: value.shape)
    variable = needsGradient ? Variable(value, leaf: leaf) : Variable(value)
  }

  func takeGradient(from gradients: Gradients) -> Tensor? {
    defer { gradients[leaf] = nil }
    return gradients[leaf]
  }
}

extension StageOneBatch {
  /// Tokens that generation predicts.
  fileprivate var targetCount: Int { texts.reduce(0) { $0 + $1.count - 1 } }
}

extension ImageTextMatching {
  /// Shares a batch's candidates out among its chunks.
  ///
  /// A candidate goes with its image, whose keys and values its chunk has; texts are but tokens. Since
  /// one image may be the negative of many texts, a chunk takes no more of these than it has pairs, and
  /// the others go where there is room, at the price of their images' keys and values once more.
  static func shares(of candidates: [Candidate], among chunks: [Range<Int>]) -> [[Candidate]] {
    var shares = chunks.map { _ in [Candidate]() }
    var room = chunks.map(\.count)
    var others: [Candidate] = []
    for candidate in candidates {
      let home = candidate.image / chunks[0].count
      if candidate.purpose == .negativeImage {
        guard room[home] > 0 else {
          others.append(candidate)
          continue
        }
        room[home] -= 1
      }
      shares[home].append(candidate)
    }
    var chunk = 0
    for candidate in others {
      while room[chunk] == 0 { chunk += 1 }
      room[chunk] -= 1
      shares[chunk].append(candidate)
    }
    return shares
  }
}
