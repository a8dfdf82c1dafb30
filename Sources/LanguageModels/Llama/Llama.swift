import Autograd
import Layers
import Tensors

/// Llama (Touvron et al. 2023): a decoder with rotary positions, root-mean-square norms, gated
/// feed-forwards and, in most, shared heads of keys and values.
public struct Llama: CausalLanguageModel {
  public let configuration: LlamaConfiguration
  /// `[vocabulary, width]`
  let wordEmbeddings: Parameter
  let blocks: ModuleList<DecoderBlock<RootMeanSquareNorm>>
  let finalNorm: RootMeanSquareNorm
  /// `[vocabulary, width]`; nil where the word embeddings serve.
  let outputTable: Parameter?

  public init(_ configuration: LlamaConfiguration, _ initialiser: ParameterInitialiser) {
    self.configuration = configuration
    let table = [configuration.vocabularySize, configuration.width]
    wordEmbeddings = initialiser.normal(
      table, standardDeviation: configuration.initialDeviation)
    outputTable =
      configuration.isTied
      ? nil : initialiser.normal(table, standardDeviation: configuration.initialDeviation)
    blocks = ModuleList((0..<configuration.layers).map { _ in configuration.block(initialiser) })
    finalNorm = RootMeanSquareNorm(
      width: configuration.width, epsilon: configuration.epsilon, initialiser)
  }

  public var embeddingWidth: Int { configuration.width }
  public var vocabularySize: Int { configuration.vocabularySize }
  public var maximumLength: Int? { configuration.maximumPositions }
  public var tokens: LanguageModelTokens { configuration.tokens }
  var layerCount: Int { configuration.layers }

  public func embeddings(of tokens: [Int32]) -> Variable { wordEmbeddings.rows(tokens) }

  func states(_ embeddings: Variable, _ pass: SequencePass) -> Variable {
    let rotation = RotaryPositions(
      positions: pass.positions, headWidth: configuration.headWidth,
      base: configuration.rotaryBase, pairing: configuration.pairing)
    var x = embeddings
    for (layer, block) in blocks.elements.enumerated() {
      x = block(x, pass.inLayer(layer, of: layerCount), rotation: rotation)
    }
    return finalNorm(x)
  }

  public var outputWeight: Weight { (outputTable ?? wordEmbeddings).weight }
}

extension LlamaConfiguration {
  fileprivate func block(_ initialiser: ParameterInitialiser) -> DecoderBlock<RootMeanSquareNorm> {
    DecoderBlock(
      MultiHeadAttention(
        width: width, heads: AttentionHeads(heads, keyCount: keyHeads, width: headWidth),
        hasBias: false, deviation: initialDeviation, initialiser),
      FeedForward(
        width: width, innerWidth: feedForwardWidth, activation: activation, isGated: true,
        hasBias: false, deviation: initialDeviation, initialiser),
      width: width, epsilon: epsilon, initialiser)
  }
}
