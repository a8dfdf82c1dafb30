import Autograd
import Layers
import Objectives
import Tensors

extension StageOneModel {
  /// The losses of a batch as numbers; those that the configuration leaves out are nil.
  public struct LossValues {
    public let contrast: Float?
    public let matching: Float?
    public let generation: Float?

    public init(_ losses: Losses) {
      self.init(
        contrast: losses.contrast?.value.scalar, matching: losses.matching?.value.scalar,
        generation: losses.generation?.value.scalar)
    }

    init(contrast: Float?, matching: Float?, generation: Float?) {
      self.contrast = contrast
      self.matching = matching
      self.generation = generation
    }
  }

  /// Adds the gradients of a batch's total loss to a store: of what this process has of it, so that the
  /// sum over all processes is the gradient of the whole.
  /// - Parameters:
  ///   - chunkSize: Pairs that go through the Q-Former at once (`ChunkedStep`); nil for all. Losses
  ///     and gradients are the same but for rounding.
  ///   - negatives: Drawn, or given for the own pairs as places in the whole batch.
  ///   - betweenChunks: Called before each chunk; what it throws ends the step, half done.
  /// - Returns: The losses of the whole batch.
  public func addGradients(
    of batch: StageOneBatch, inChunksOf chunkSize: Int? = nil, negatives: NegativeChoice,
    in step: GradientStep<some Communicator>, betweenChunks: (() throws -> Void)? = nil
  ) rethrows -> LossValues {
    if step.communicator.count > 1 || chunkSize.map({ $0 < batch.texts.count }) ?? false {
      return try ChunkedStep(self, batch, chunkSize: chunkSize, step)
        .run(negatives: negatives, betweenChunks: betweenChunks)
    }
    let losses = losses(batch, negatives: negatives, randomness: step.randomness)
    step.gradients.addBackward(from: losses.total, weight: step.weight)
    return LossValues(losses)
  }
}

/// A training step whose batch goes through the Q-Former in parts: chunk by chunk, so that its contrast
/// may be larger than memory (GradCache, Gao et al. 2021), and in several processes.
///
/// The contrastive loss needs of a pair only its features. They are made chunk by chunk and all that
/// led to them is dropped; the loss of the whole batch gives their gradients, and the similarities
/// from which hard negatives are drawn. Then each chunk is run again, as a part of the other losses,
/// and backwards, its features from the gradients that wait for them. Random draws belong to places
/// in the batch and not in a chunk, so both runs, and a step without chunks, draw the same.
struct ChunkedStep<Processes: Communicator> {
  private let model: StageOneModel
  private let batch: StageOneBatch
  private let whole: WholeBatch
  private let plan: ChunkPlan
  private let step: GradientStep<Processes>
  /// The image features, `[pairs, tokens, vision width]`: chunks must not run back into the encoder,
  /// which has one backward pass in the end.
  private let features: DetachedLeaf

  init(
    _ model: StageOneModel, _ batch: StageOneBatch, chunkSize: Int?,
    _ step: GradientStep<Processes>
  ) {
    self.model = model
    self.batch = batch
    self.step = step
    whole = batch.whole(step.communicator)
    plan = ChunkPlan(whole, chunkSize: chunkSize)
    features = DetachedLeaf(
      batch.features.value, needsGradient: batch.features.needsGradient)
  }

  func run(
    negatives: NegativeChoice, betweenChunks: (() throws -> Void)? = nil
  ) rethrows -> StageOneModel.LossValues {
    let objectives = model.configuration.objectives
    var values = PartialLosses()
    var unit: UnitFeatureGradients?
    var judged = [[MatchingCandidate]](repeating: [], count: plan.chunks.count)
    if objectives.contrast || objectives.matching {
      let contrast: ImageTextContrast.Result
      (contrast, unit) = try self.contrast(betweenChunks, &values.contrast)
      if objectives.matching {
        judged = plan.shares(
          of: model.candidates(
            batch, of: whole, contrast: contrast, negatives: negatives,
            communicator: step.communicator))
      }
    }
    let images = StepImages(
      features.variable, tokens: batch.imageTokens, whole: whole,
      wanted: plan.foreignImages(of: judged, whole), step.communicator)
    for chunk in plan.own {
      try betweenChunks?()
      addGradients(of: chunk, judging: judged, unit, images, &values)
    }
    if let gradient = images.ownGradient(
      features.takeGradient(from: step.gradients), step.gradients)
    {
      step.gradients.addBackward(from: batch.features, gradient: gradient)
    }
    return losses(values)
  }

  /// Runs a chunk forwards, as a part of the losses, and backwards.
  private func addGradients(
    of chunk: Int, judging judged: [[MatchingCandidate]], _ unit: UnitFeatureGradients?,
    _ images: StepImages<Processes>, _ values: inout PartialLosses
  ) {
    var roots = Roots(weight: step.weight)
    let numbers = ChunkNumbers(plan.chunks[chunk], and: judged[chunk])
    let memory = model.imageMemory(images.features(of: numbers.images))
    if unit != nil || model.configuration.objectives.generation {
      values.generation += addFirstPass(chunk, images: memory, unit: unit, to: &roots)
    }
    if !judged[chunk].isEmpty {
      let matching = ImageTextMatching(
        model: model, texts: whole.texts, indices: whole.indices, imageTokens: batch.imageTokens,
        images: memory, randomness: step.randomness)
      let result = matching.result(numbers.renumbered(judged[chunk]))
      let total = judged.reduce(0) { $0 + $1.count }
      values.matching += roots.add(
        LossTerm(mean: result.loss, count: judged[chunk].count, total: total),
        weight: model.configuration.lossWeights.matching)
    }
    step.gradients.addBackward(from: roots.results)
  }

  /// Parts of the means over the whole batch, in double precision.
  private struct PartialLosses {
    var contrast = 0.0
    var matching = 0.0
    var generation = 0.0
  }

  /// The losses of the whole batch from the parts that the processes have.
  private func losses(_ own: PartialLosses) -> StageOneModel.LossValues {
    let objectives = model.configuration.objectives
    let all = step.communicator.summed(
      Tensor([Float(own.contrast), Float(own.matching), Float(own.generation)], shape: [3])
    ).values
    return StageOneModel.LossValues(
      contrast: objectives.contrast ? all[0] : nil, matching: objectives.matching ? all[1] : nil,
      generation: objectives.generation ? all[2] : nil)
  }

  // MARK: The contrast of the whole batch

  /// The gradients of the unit features of the own pairs.
  private struct UnitFeatureGradients {
    /// `[pairs · queries, embedding]`.
    let images: Tensor
    /// `[pairs, embedding]`.
    let texts: Tensor
  }

  /// The contrastive loss of the whole batch; its gradients by the features unless it is left out. The
  /// temperature's is added to the store.
  /// - Parameter value: Gets the own part of the loss.
  private func contrast(
    _ betweenChunks: (() throws -> Void)?, _ value: inout Double
  ) rethrows -> (ImageTextContrast.Result, UnitFeatureGradients?) {
    var parts: (images: [Variable], texts: [Variable]) = ([], [])
    for chunk in plan.own {
      try betweenChunks?()
      // Recorded, and dropped at once: without recording, norms before products are not folded into
      // them and a few rows are not rounded, so that last bits, in bfloat16 more, would differ.
      let part = part(chunk)
      let images = model.imageMemory(part.features)
      let first = UnimodalPass(
        model, part, images: images, randomness: step.randomness, withGeneration: false)
      parts.images.append(model.imageEmbedding(first.queries).detached)
      parts.texts.append(model.textEmbedding(first.classification).detached)
    }
    let images = DetachedLeaf(Variable.concatenatedRows(parts.images).value)
    let texts = DetachedLeaf(Variable.concatenatedRows(parts.texts).value)
    let result = ImageTextContrast(model.configuration)(
      images: images.variable, texts: texts.variable, of: whole,
      temperature: model.guardedTemperature, communicator: step.communicator)
    guard model.configuration.objectives.contrast else { return (result, nil) }
    let term = LossTerm(
      mean: result.loss, count: batch.texts.count, total: whole.texts.count)
    value = term.value
    step.gradients.addBackward(
      from: term.mean,
      weight: step.weight * model.configuration.lossWeights.contrast * Float(term.share))
    guard let ofImages = images.takeGradient(from: step.gradients),
      let ofTexts = texts.takeGradient(from: step.gradients)
    else { return (result, nil) }
    return (result, UnitFeatureGradients(images: ofImages, texts: ofTexts))
  }

  // MARK: One chunk

  /// Runs a chunk's images and texts by themselves, and its texts after `[DEC]`.
  /// - Returns: The chunk's part of the generation loss.
  private func addFirstPass(
    _ chunk: Int, images: [AttentionSource?], unit: UnitFeatureGradients?,
    to roots: inout Roots
  ) -> Double {
    let part = part(chunk)
    let first = UnimodalPass(
      model, part, images: images, randomness: step.randomness,
      withGeneration: model.configuration.objectives.generation)
    if let unit {
      let (range, queries) = (plan.ownRange(chunk), model.queryCount)
      roots.add(
        model.imageEmbedding(first.queries),
        unit.images.rows(range.lowerBound * queries..<range.upperBound * queries))
      roots.add(model.textEmbedding(first.classification), unit.texts.rows(range))
    }
    guard let states = first.generationStates else { return 0 }
    return roots.add(
      LossTerm(
        mean: ImageGroundedGeneration(model: model).loss(part, states: states),
        count: part.texts.reduce(0) { $0 + $1.count - 1 }, total: whole.targetCount),
      weight: model.configuration.lossWeights.generation)
  }

  /// The pairs of a chunk as a batch.
  private func part(_ chunk: Int) -> StageOneBatch {
    let (range, tokens) = (plan.ownRange(chunk), batch.imageTokens)
    let rows = features.variable.rows(range.lowerBound * tokens..<range.upperBound * tokens)
    return StageOneBatch(
      features: rows.reshaped([range.count, tokens, batch.features.shape[2]]),
      texts: Array(batch.texts[range]), imageIds: Array(batch.imageIds[range]),
      indices: Array(batch.indices[range]))
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

  /// Adds a part of a loss, which counts for `lossWeight` in the sum of losses.
  /// - Returns: The part, not weighted.
  mutating func add(_ term: LossTerm, weight lossWeight: Float) -> Double {
    add(term.mean, Tensor(weight * lossWeight * Float(term.share)))
    return term.value
  }
}
