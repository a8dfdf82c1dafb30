import Autograd
import LanguageModels
import Layers
import Objectives
import Tensors

/// Everything that stage 2 trains: the Q-Former's queries, the norm over the image features, and the
/// projection into a frozen language model (Li et al. 2023, §3.2). The text half of the Q-Former has
/// no part in it.
public struct StageTwoModel: Module {
  public let configuration: StageTwoConfiguration
  public let qFormer: QFormer
  /// Over the image features; trained although the encoder is frozen.
  public let visionNorm: LayerNorm
  /// From query outputs to rows that stand in place of words.
  let languageProjection: Linear
  /// Whether training computes the inside of the Q-Former's layers again in the backward pass in place
  /// of keeping it.
  public var recomputesActivations = false

  /// - Parameter embeddingWidth: The width of the language model's word embeddings.
  public init(
    _ configuration: StageTwoConfiguration, visionWidth: Int, embeddingWidth: Int, seed: UInt64
  ) {
    let initialiser = ParameterInitialiser(seed: seed)
    self.configuration = configuration
    qFormer = QFormer(configuration.qFormer, visionWidth: visionWidth, initialiser)
    visionNorm = LayerNorm(
      width: visionWidth, epsilon: configuration.qFormer.visionNormEpsilon, initialiser)
    languageProjection = Linear(
      inputs: configuration.qFormer.width, outputs: embeddingWidth, start: .uniform, initialiser)
  }

  public var members: [Member] {
    [
      .module("qFormer", qFormer.queryHalf), .module("visionNorm", visionNorm),
      .module("languageProjection", languageProjection),
    ]
  }

  /// The number of query tokens.
  public var queryCount: Int { configuration.qFormer.queries }

  /// What the queries make of images.
  /// - Parameters:
  ///   - features: `[images, tokens, vision width]`.
  ///   - indices: The number of each image in the global batch; nil for 0, 1, 2, …
  ///   - randomness: nil in evaluation.
  /// - Returns: `[images · queries, width]`.
  public func queryOutputs(
    _ features: Variable, indices: [Int]? = nil, randomness: TrainingRandomness? = nil
  ) -> Variable {
    let output = qFormer.read(
      features, norm: visionNorm, indices: indices, randomness: randomness,
      recomputing: recomputesActivations)
    guard let queries = output.queries else { preconditionFailure("images have queries") }
    return queries
  }

  /// The soft prompts of images: `queries` rows each, of the language model's embedding width.
  public func softPrompts(
    _ features: Variable, indices: [Int]? = nil, randomness: TrainingRandomness? = nil
  ) -> PackedRows {
    let outputs = queryOutputs(features, indices: indices, randomness: randomness)
    return PackedRows(
      languageProjection(outputs),
      lengths: Array(repeating: queryCount, count: features.shape[0]))
  }

  /// The mean loss of the texts' targets, each after its image's soft prompt and its prefix.
  /// - Parameters:
  ///   - features: `[images, tokens, vision width]`.
  ///   - texts: One for each image.
  /// - Returns: A variable of shape [].
  public func loss(
    _ features: Variable, texts: [ConditionedText], languageModel: any LanguageModel,
    indices: [Int]? = nil, randomness: TrainingRandomness? = nil
  ) -> Variable {
    precondition(
      features.shape[0] == texts.count, "image features \(features.shape) for \(texts.count) texts")
    let prompts = softPrompts(features, indices: indices, randomness: randomness)
    let input = languageModel.input(prompts, prefixes: texts.map(\.prefix))
    return languageModel.loss(of: texts.map(\.target), after: input)
  }

  /// Adds the gradients of a batch's mean loss to a store: of what this process has of it, so that the sum
  /// over all processes is the gradient of the mean over all tokens. (The original averages the processes'
  /// means.)
  /// - Parameters:
  ///   - indices: The number of each image in the global batch.
  /// - Returns: The loss of the whole batch.
  public func addGradients(
    of features: Variable, texts: [ConditionedText], indices: [Int],
    languageModel: any LanguageModel, in step: GradientStep<some Communicator>
  ) -> Float {
    let count = texts.reduce(0) { $0 + $1.target.count }
    let total = step.communicator.gathered([Int64(count)]).joined().reduce(0, +)
    let term = LossTerm(
      mean: loss(
        features, texts: texts, languageModel: languageModel, indices: indices,
        randomness: step.randomness), count: count, total: Int(total))
    step.gradients.addBackward(from: term.mean, weight: step.weight * Float(term.share))
    return step.communicator.summed(Tensor(Float(term.value))).scalar
  }
}

extension LanguageModel {
  /// Soft prompts, each followed by the word embeddings of its prefix.
  public func input(_ prompts: PackedRows, prefixes: [[Int32]]) -> PackedRows {
    precondition(
      prompts.lengths.count == prefixes.count,
      "\(prefixes.count) prefixes for \(prompts.lengths.count) soft prompts")
    if prefixes.allSatisfy(\.isEmpty) { return prompts }
    return prompts.followed(by: embeddings(of: prefixes.flatMap { $0 }), prefixes.map(\.count))
  }
}

extension StageTwoModel {
  /// What stage 1 has trained already, under the same names: all but the projection.
  public var fromStageOne: some Module { Pruned(self, without: ["languageProjection"]) }
}

extension QFormer {
  /// The part that reads images without text.
  fileprivate var queryHalf: some Module {
    Pruned(self, without: ["wordEmbeddings", "positionEmbeddings", "textFeedForward"])
  }
}
