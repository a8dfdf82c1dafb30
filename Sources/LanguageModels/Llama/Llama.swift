import Autograd
import Layers
import Tensors

/// Llama (Touvron et al. 2023): a decoder with rotary positions, root-mean-square norms, gated
/// feed-forwards and, in most, shared heads of keys and values.
public struct Llama: CausalLanguageModel {
  public let configuration: LlamaConfiguration
  /// `[vocabulary, width]`
  let wordEmbeddings: Parameter
  /// `[vocabulary, width]`; nil where the word embeddings serve.
  let outputTable: Parameter?
  let blocks: ModuleList<LlamaBlock>
  let finalNorm: RootMeanSquareNorm

  public init(_ configuration: LlamaConfiguration, _ initialiser: ParameterInitialiser) {
    self.configuration = configuration
    let table = [configuration.vocabularySize, configuration.width]
    wordEmbeddings = initialiser.normal(
      table, standardDeviation: configuration.initialDeviation)
    outputTable =
      configuration.isTied
      ? nil : initialiser.normal(table, standardDeviation: configuration.initialDeviation)
    blocks = ModuleList(
      (0..<configuration.layers).map { LlamaBlock(configuration, number: $0, initialiser) })
    finalNorm = RootMeanSquareNorm(
      width: configuration.width, epsilon: configuration.epsilon, initialiser)
  }

  public var members: [Member] {
    var members: [Member] = [
      .parameter("wordEmbeddings", wordEmbeddings), .module("blocks", blocks),
      .module("finalNorm", finalNorm),
    ]
    if let outputTable { members.append(.parameter("outputTable", outputTable)) }
    return members
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
    for block in blocks.elements {
      x = block(x, pass.inLayer(block.number, of: layerCount), rotation)
    }
    return finalNorm(x)
  }

  public var outputWeight: Weight { (outputTable ?? wordEmbeddings).weight }
}

/// Attention and gated feed-forward, each with its norm before it.
struct LlamaBlock: Module {
  let number: Int
  let attentionNorm: RootMeanSquareNorm
  let query: Projection
  let key: Projection
  let value: Projection
  let output: Projection
  let feedForwardNorm: RootMeanSquareNorm
  let gate: Projection
  let inner: Projection
  let outer: Projection
  let activation: Activation
  let options: AttentionOptions

  init(_ configuration: LlamaConfiguration, number: Int, _ initialiser: ParameterInitialiser) {
    self.number = number
    let (width, innerWidth) = (configuration.width, configuration.feedForwardWidth)
    let queryWidth = configuration.heads * configuration.headWidth
    let keyWidth = configuration.keyHeads * configuration.headWidth
    func projection(_ inputs: Int, _ outputs: Int) -> Projection {
      Projection(
        inputs: inputs, outputs: outputs, deviation: configuration.initialDeviation, initialiser)
    }
    func norm() -> RootMeanSquareNorm {
      RootMeanSquareNorm(width: width, epsilon: configuration.epsilon, initialiser)
    }
    attentionNorm = norm()
    query = projection(width, queryWidth)
    key = projection(width, keyWidth)
    value = projection(width, keyWidth)
    output = projection(queryWidth, width)
    feedForwardNorm = norm()
    gate = projection(width, innerWidth)
    inner = projection(width, innerWidth)
    outer = projection(innerWidth, width)
    activation = configuration.activation
    options = AttentionOptions(
      headCount: configuration.heads, scale: 1 / Float(configuration.headWidth).squareRoot())
  }

  var members: [Member] {
    [
      .module("attentionNorm", attentionNorm), .module("query", query), .module("key", key),
      .module("value", value), .module("output", output),
      .module("feedForwardNorm", feedForwardNorm), .module("gate", gate),
      .module("inner", inner), .module("outer", outer),
    ]
  }

  /// - Parameters:
  ///   - x: `[rows, width]`.
  ///   - rotation: For all rows.
  /// - Returns: The outputs of the rows that look at others, `[rows, width]`.
  func callAsFunction(
    _ x: Variable, _ pass: SequencePass, _ rotation: RotaryPositions
  ) -> Variable {
    let h = attentionNorm(x)
    let queries = query(pass.looking(h), forProducts: true).rotated(by: pass.looking(rotation))
    let attended = pass.attention(
      layer: number, queries, keys: key(h, forProducts: true).rotated(by: rotation),
      values: value(h, forProducts: true), options: options)
    let middle = pass.looking(x) + output(attended)
    let normed = feedForwardNorm(middle)
    return middle
      + outer(
        inner(normed, forProducts: true).gated(by: gate(normed, forProducts: true), activation))
  }
}
