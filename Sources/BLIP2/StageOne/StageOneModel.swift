import Autograd
import Layers
import Tensors

/// Everything that stage 1 trains: the Q-Former, the norm over the frozen encoder's features, and
/// the heads of its three objectives.
public struct StageOneModel: Module {
  public let configuration: StageOneConfiguration
  public let qFormer: QFormer
  /// Over the image features; trained although the encoder is frozen.
  public let visionNorm: LayerNorm
  let visionProjection: Linear
  let textProjection: Linear
  let matchingHead: Linear
  let languageHead: LanguageHead
  /// The divisor of the similarities, of shape [].
  public let temperature: Parameter
  /// The special tokens of the vocabulary.
  public let tokens: SpecialTokens
  /// Whether training computes the inside of the Q-Former's layers again in the backward pass in place
  /// of keeping it.
  public var recomputesActivations = false

  public struct SpecialTokens: Equatable, Sendable {
    /// `[SEP]`, which ends a caption.
    public var separator: Int32
    /// `[DEC]`, which begins a caption.
    public var decoder: Int32

    /// BERT's, unless others are given.
    public init(separator: Int32 = 102, decoder: Int32 = 30_522) {
      self.separator = separator
      self.decoder = decoder
    }
  }

  public init(
    _ configuration: StageOneConfiguration, visionWidth: Int,
    tokens: SpecialTokens = SpecialTokens(), seed: UInt64
  ) {
    let initialiser = ParameterInitialiser(seed: seed)
    let width = configuration.qFormer.width
    self.configuration = configuration
    self.tokens = tokens
    qFormer = QFormer(configuration.qFormer, visionWidth: visionWidth, initialiser)
    visionNorm = LayerNorm(
      width: visionWidth, epsilon: configuration.qFormer.visionNormEpsilon, initialiser)
    visionProjection = Linear(
      inputs: width, outputs: configuration.embeddingWidth, start: .uniform, initialiser)
    textProjection = Linear(
      inputs: width, outputs: configuration.embeddingWidth, start: .uniform, initialiser)
    matchingHead = Linear(inputs: width, outputs: 2, start: .uniform, initialiser)
    languageHead = LanguageHead(configuration.qFormer, initialiser)
    temperature = initialiser.constant([], configuration.initialTemperature)
  }

  /// The number of query tokens.
  public var queryCount: Int { configuration.qFormer.queries }

  /// The temperature, kept away from zero: the original does not clamp it, and would divide by it.
  var guardedTemperature: Variable {
    temperature.variable.atLeast(0.001)
  }

  /// Unit features of query outputs, `[images · queries, embedding]`.
  func imageEmbedding(_ queries: Variable) -> Variable { visionProjection(queries).unitRows() }

  /// Unit features of the `[CLS]` outputs, `[texts, embedding]`.
  func textEmbedding(_ classification: Variable) -> Variable {
    textProjection(classification).unitRows()
  }

  /// The match logits of each pair, averaged over the queries, `[pairs, 2]`.
  func matchingLogits(_ queries: Variable) -> Variable {
    matchingHead(queries.meanOfRows(inGroupsOf: queryCount))
  }

  /// Word logits of text rows, `[rows, vocabulary]`.
  func wordLogits(_ rows: Variable) -> Variable {
    languageHead(rows, wordEmbeddings: qFormer.wordEmbeddings)
  }

  /// The mean loss of the words that text rows are to predict, with ITG's label smoothing.
  /// - Returns: A variable of shape [].
  func wordLoss(_ rows: Variable, words: [Int32]) -> Variable {
    languageHead.loss(
      rows, words: words, labelSmoothing: configuration.labelSmoothing.generation,
      wordEmbeddings: qFormer.wordEmbeddings)
  }
}

/// BERT's language head: dense, GELU, norm, then the word embeddings as decoder, plus a bias.
struct LanguageHead: Module {
  let transform: Linear
  let norm: LayerNorm
  /// `[vocabulary]`.
  let bias: Parameter

  init(_ configuration: QFormerConfiguration, _ initialiser: ParameterInitialiser) {
    let width = configuration.width
    transform = Linear(
      inputs: width, outputs: width, start: .normal(deviation: configuration.initialDeviation),
      initialiser)
    norm = LayerNorm(width: width, epsilon: configuration.layerNormEpsilon, initialiser)
    bias = initialiser.constant([configuration.vocabularySize], 0)
  }

  /// Word logits, `[rows, vocabulary]`.
  func callAsFunction(_ rows: Variable, wordEmbeddings: Parameter) -> Variable {
    transformed(rows).linear(wordEmbeddings.weight, bias: bias.variable)
  }

  /// The mean cross-entropy of a word for each row.
  func loss(
    _ rows: Variable, words: [Int32], labelSmoothing: Float, wordEmbeddings: Parameter
  ) -> Variable {
    transformed(rows).linearCrossEntropy(
      wordEmbeddings.weight, bias: bias.variable, classes: words, labelSmoothing: labelSmoothing)
  }

  private func transformed(_ rows: Variable) -> Variable { norm(transform(rows, then: .gelu)) }
}
