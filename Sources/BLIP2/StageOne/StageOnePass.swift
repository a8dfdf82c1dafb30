import Autograd
import Layers
import Objectives
import Tensors

/// A batch of image–text pairs.
public struct StageOneBatch {
  /// The image features, `[pairs, tokens, vision width]`.
  public let features: Variable
  /// `[CLS] … [SEP]`, not padded.
  public let texts: [[Int32]]
  /// Which image each pair shows.
  public let imageIds: [Int64]
  /// The number of each pair in the global batch, in ascending order: random draws depend on them.
  public let indices: [Int]

  /// - Parameters:
  ///   - imageIds: Nil where all are different.
  ///   - indices: Nil for 0, 1, 2, …
  public init(
    features: Variable, texts: [[Int32]], imageIds: [Int64]? = nil, indices: [Int]? = nil
  ) {
    precondition(
      features.shape.count == 3 && features.shape[0] == texts.count,
      "image features \(features.shape) for \(texts.count) texts")
    precondition(texts.allSatisfy { $0.count >= 2 }, "a text has at least [CLS] and [SEP]")
    self.features = features
    self.texts = texts
    self.imageIds = imageIds ?? (0..<texts.count).map { Int64($0) }
    self.indices = indices ?? Array(texts.indices)
    precondition(
      self.indices.count == texts.count
        && zip(self.indices, self.indices.dropFirst()).allSatisfy(<),
      "numbers \(self.indices) for \(texts.count) pairs")
  }

  var imageTokens: Int { features.shape[1] }

  /// The batch among those of all processes.
  func whole(_ communicator: some Communicator) -> WholeBatch {
    WholeBatch(indices: indices, imageIds: imageIds, texts: texts, communicator)
  }
}

/// Where the hard negatives come from.
public enum NegativeChoice {
  case drawn(Philox)
  case given(HardNegatives)
}

extension StageOneModel {
  /// The losses of a batch, each of shape []; those that the configuration leaves out are nil.
  public struct Losses {
    public let contrast: Variable?
    public let matching: Variable?
    public let generation: Variable?
    /// Their unweighted sum.
    public let total: Variable
    /// Query outputs, `[pairs · queries, width]`, of the uni-modal pass.
    public let queryOutput: Variable
    /// `[CLS]` outputs, `[pairs, width]`, of the uni-modal pass.
    public let classOutput: Variable
    /// `[candidates, 2]`: own pairs first, then those with negatives.
    public let matchingLogits: Variable?
  }

  /// Both passes of a training step over a batch that one process has.
  ///
  /// The first pass holds the queries of every image, every text alone and every text after
  /// `[DEC]`; the latter reads its image through the queries' keys and values, since queries see
  /// queries alone under the causal mask as well. The second pass holds the pairs that ITM judges.
  /// What both read of the images is computed once. A batch of one pair has a contrastive
  /// loss of 0 and no negatives: well defined, but there is nothing to learn from.
  public func losses(
    _ batch: StageOneBatch, negatives: NegativeChoice, randomness: TrainingRandomness? = nil
  ) -> Losses {
    let communicator = SingleProcess()
    let whole = batch.whole(communicator)
    let (objectives, weights) = (configuration.objectives, configuration.lossWeights)
    let images = imageMemory(batch.features)
    let first = UnimodalPass(
      self, batch, images: images, randomness: randomness, withGeneration: objectives.generation)
    let contrast = ImageTextContrast(configuration)(
      images: imageEmbedding(first.queries), texts: textEmbedding(first.classification),
      of: whole, temperature: guardedTemperature, communicator: communicator)
    var terms: [Variable] = objectives.contrast ? [contrast.loss * weights.contrast] : []
    var matching: ImageTextMatching.Result?
    if objectives.matching {
      let result = ImageTextMatching(
        model: self, texts: whole.texts, indices: whole.indices, imageTokens: batch.imageTokens,
        images: images, randomness: randomness
      ).result(
        candidates(
          batch, of: whole, contrast: contrast, negatives: negatives, communicator: communicator))
      terms.append(result.loss * weights.matching)
      matching = result
    }
    let generation = first.generationStates.map {
      ImageGroundedGeneration(model: self).loss(batch, states: $0)
    }
    if let generation { terms.append(generation * weights.generation) }
    precondition(!terms.isEmpty, "at least one objective must be chosen")
    return Losses(
      contrast: objectives.contrast ? contrast.loss : nil, matching: matching?.loss,
      generation: generation, total: terms.dropFirst().reduce(terms[0], +),
      queryOutput: first.queries, classOutput: first.classification,
      matchingLogits: matching?.logits)
  }

  /// What the queries of a training step read of some images, `[images, tokens, vision width]`.
  func imageMemory(_ features: Variable) -> [AttentionSource?] {
    // An image is judged with its own text and, on average, with two others.
    qFormer.imageMemory(
      features, norm: visionNorm, readings: configuration.objectives.matching ? 4 : 1)
  }
}

/// The outputs of the first pass.
struct UnimodalPass {
  let queries: Variable
  let classification: Variable
  /// The text rows of generation; nil without.
  let generationStates: Variable?

  /// - Parameter withGeneration: Whether the texts after `[DEC]` are in the pass.
  init(
    _ model: StageOneModel, _ batch: StageOneBatch, images: [AttentionSource?],
    randomness: TrainingRandomness?, withGeneration: Bool
  ) {
    var pack = PackedSequences(queryCount: model.queryCount)
    pack.addImages(batch.indices)
    for (index, text) in batch.texts.enumerated() {
      pack.addText(
        text, view: .itself, index: batch.indices[index], purpose: .text, reading: .first)
    }
    let classes = pack.textOutputs
    if withGeneration {
      ImageGroundedGeneration(model: model).addTexts(of: batch, to: &pack)
    }
    pack.layOut(imageTokens: batch.imageTokens)
    let output = model.qFormer(
      pack, images: images, randomness: randomness, recomputing: model.recomputesActivations)
    guard let queries = output.queries, let texts = output.texts else {
      preconditionFailure("a batch has images and texts")
    }
    self.queries = queries
    classification = texts.rows(0..<classes)
    generationStates =
      pack.textOutputs > classes ? texts.rows(classes..<pack.textOutputs) : nil
  }
}

extension ImageTextContrast {
  init(_ configuration: StageOneConfiguration) {
    self.init()
    labelSmoothing = configuration.labelSmoothing.contrast
    gradientThroughNegatives = configuration.gradientThroughNegatives
  }
}
