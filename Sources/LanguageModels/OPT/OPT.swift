import Autograd
import Layers
import Tensors

/// OPT (Zhang et al. 2022): a decoder with learned positions and ReLU.
public struct OPT: CausalLanguageModel {
  public let configuration: OPTConfiguration
  /// `[vocabulary, embedding width]`; also the output table.
  let wordEmbeddings: Parameter
  /// `[positions + 2, width]`: the first two rows are never used.
  let positionEmbeddings: Parameter
  /// Between embeddings and blocks of other widths; nil where the widths are the same.
  let inputProjection: Projection?
  let outputProjection: Projection?
  let blocks: ModuleList<OPTBlock>
  let finalNorm: LayerNorm?

  /// What fairseq put in front of the position table.
  private static let positionOffset = 2

  public init(_ configuration: OPTConfiguration, _ initialiser: ParameterInitialiser) {
    self.configuration = configuration
    let (width, embeddingWidth) = (configuration.width, configuration.embeddingWidth)
    let deviation = configuration.initialDeviation
    wordEmbeddings = initialiser.normal(
      [configuration.vocabularySize, embeddingWidth], standardDeviation: deviation)
    let places = configuration.maximumPositions + OPT.positionOffset
    positionEmbeddings =
      switch configuration.initialPositions {
      case .normal: initialiser.normal([places, width], standardDeviation: deviation)
      case .sineCosine:
        initialiser.given([places, width]) {
          PositionStart.sineCosineTable(length: places, width: width, deviation: deviation)
        }
      }
    let isProjected = embeddingWidth != width
    inputProjection =
      isProjected
      ? Projection(inputs: embeddingWidth, outputs: width, deviation: deviation, initialiser) : nil
    outputProjection =
      isProjected
      ? Projection(inputs: width, outputs: embeddingWidth, deviation: deviation, initialiser) : nil
    blocks = ModuleList(
      (0..<configuration.layers).map { OPTBlock(configuration, number: $0, initialiser) })
    finalNorm =
      configuration.normsComeFirst && !configuration.omitsFinalNorm
      ? LayerNorm(width: width, epsilon: 1e-5, initialiser) : nil
  }

  public var members: [Member] {
    var members: [Member] = [
      .parameter("wordEmbeddings", wordEmbeddings),
      .parameter("positionEmbeddings", positionEmbeddings), .module("blocks", blocks),
    ]
    if let inputProjection { members.append(.module("inputProjection", inputProjection)) }
    if let outputProjection { members.append(.module("outputProjection", outputProjection)) }
    if let finalNorm { members.append(.module("finalNorm", finalNorm)) }
    return members
  }

  public var embeddingWidth: Int { configuration.embeddingWidth }
  public var vocabularySize: Int { configuration.vocabularySize }
  public var maximumLength: Int? { configuration.maximumPositions }
  public var tokens: LanguageModelTokens { configuration.tokens }
  public var textEnd: TextEnd { .lineFeed }
  var layerCount: Int { configuration.layers }

  public func embeddings(of tokens: [Int32]) -> Variable { wordEmbeddings.rows(tokens) }

  func states(_ embeddings: Variable, _ pass: SequencePass) -> Variable {
    let places = pass.positions.map { $0 + Int32(OPT.positionOffset) }
    var x = (inputProjection?(embeddings) ?? embeddings) + positionEmbeddings.rows(places)
    for block in blocks.elements { x = block(x, pass.inLayer(block.number, of: layerCount)) }
    x = finalNorm?(x) ?? x
    return outputProjection?(x) ?? x
  }

  public var outputWeight: Weight { wordEmbeddings.weight }
}

/// Attention and feed-forward, each with its norm before it, or after it in OPT-350m.
struct OPTBlock: Module {
  let number: Int
  let query: Linear
  let key: Linear
  let value: Linear
  let output: Linear
  let attentionNorm: LayerNorm
  let inner: Linear
  let outer: Linear
  let feedForwardNorm: LayerNorm
  let activation: Activation
  let normsComeFirst: Bool
  let options: AttentionOptions

  init(_ configuration: OPTConfiguration, number: Int, _ initialiser: ParameterInitialiser) {
    self.number = number
    let (width, innerWidth) = (configuration.width, configuration.feedForwardWidth)
    let start = Linear.Start.normal(deviation: configuration.initialDeviation)
    query = Linear(inputs: width, outputs: width, start: start, initialiser)
    key = Linear(inputs: width, outputs: width, start: start, initialiser)
    value = Linear(inputs: width, outputs: width, start: start, initialiser)
    output = Linear(inputs: width, outputs: width, start: start, initialiser)
    attentionNorm = LayerNorm(width: width, epsilon: 1e-5, initialiser)
    inner = Linear(inputs: width, outputs: innerWidth, start: start, initialiser)
    outer = Linear(inputs: innerWidth, outputs: width, start: start, initialiser)
    feedForwardNorm = LayerNorm(width: width, epsilon: 1e-5, initialiser)
    activation = configuration.activation
    normsComeFirst = configuration.normsComeFirst
    options = AttentionOptions(
      headCount: configuration.heads,
      scale: 1 / Float(width / configuration.heads).squareRoot())
  }

  var members: [Member] {
    [
      .module("query", query), .module("key", key), .module("value", value),
      .module("output", output), .module("attentionNorm", attentionNorm),
      .module("inner", inner), .module("outer", outer),
      .module("feedForwardNorm", feedForwardNorm),
    ]
  }

  /// - Parameter x: `[rows, width]`.
  /// - Returns: The outputs of the rows that look at others, `[rows, width]`.
  func callAsFunction(_ x: Variable, _ pass: SequencePass) -> Variable {
    let looking = pass.looking(x)
    guard normsComeFirst else {
      let middle = attentionNorm(looking + attention(looking, to: x, pass))
      return feedForwardNorm(middle + feedForward(middle))
    }
    let normed = attentionNorm(x)
    let middle = looking + attention(pass.looking(normed), to: normed, pass)
    return middle + feedForward(feedForwardNorm(middle))
  }

  private func attention(
    _ looking: Variable, to x: Variable, _ pass: SequencePass
  ) -> Variable {
    output(
      pass.attention(
        layer: number, query(looking, forProducts: true), keys: key(x, forProducts: true),
        values: value(x, forProducts: true), options: options))
  }

  private func feedForward(_ x: Variable) -> Variable {
    outer(inner(x, then: activation, forProducts: true))
  }
}
