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
  let blocks: ModuleList<DecoderBlock<LayerNorm>>
  /// Between embeddings and blocks of other widths; nil where the widths are the same.
  let inputProjection: Linear?
  let outputProjection: Linear?
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
    func projection(_ inputs: Int, _ outputs: Int) -> Linear? {
      inputs == outputs
        ? nil
        : Linear(
          inputs: inputs, outputs: outputs, hasBias: false, start: .normal(deviation: deviation),
          initialiser)
    }
    inputProjection = projection(embeddingWidth, width)
    outputProjection = projection(width, embeddingWidth)
    blocks = ModuleList((0..<configuration.layers).map { _ in configuration.block(initialiser) })
    finalNorm =
      configuration.normsComeFirst && !configuration.omitsFinalNorm
      ? LayerNorm(width: width, epsilon: 1e-5, initialiser) : nil
  }

  public var embeddingWidth: Int { configuration.embeddingWidth }
  public var vocabularySize: Int { configuration.vocabularySize }
  public var maximumLength: Int? { configuration.maximumPositions }
  public var tokens: LanguageModelTokens { configuration.tokens }
  var layerCount: Int { configuration.layers }

  public func embeddings(of tokens: [Int32]) -> Variable { wordEmbeddings.rows(tokens) }

  func states(_ embeddings: Variable, _ pass: SequencePass) -> Variable {
    let places = pass.positions.map { $0 + Int32(OPT.positionOffset) }
    var x = (inputProjection?(embeddings) ?? embeddings) + positionEmbeddings.rows(places)
    for (layer, block) in blocks.elements.enumerated() {
      x = block(x, pass.inLayer(layer, of: layerCount))
    }
    x = finalNorm?(x) ?? x
    return outputProjection?(x) ?? x
  }

  public var outputWeight: Weight { wordEmbeddings.weight }
}

extension OPTConfiguration {
  fileprivate func block(_ initialiser: ParameterInitialiser) -> DecoderBlock<LayerNorm> {
    DecoderBlock(
      MultiHeadAttention(
        width: width, heads: AttentionHeads(heads, width: width / heads),
        deviation: initialDeviation, initialiser),
      FeedForward(
        width: width, innerWidth: feedForwardWidth, activation: activation,
        deviation: initialDeviation, initialiser),
      width: width, epsilon: 1e-5, normsComeFirst: normsComeFirst, initialiser)
  }
}
