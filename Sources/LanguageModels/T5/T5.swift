import Autograd
import Layers
import Tensors

/// T5 (Raffel et al. 2020): an encoder that reads the input and a decoder that speaks, with relative
/// positions, no biases, and attention scores that are not scaled.
public struct T5: LanguageModel {
  public let configuration: T5Configuration
  /// `[vocabulary, width]`
  let wordEmbeddings: Parameter
  let encoder: T5Stack
  let decoder: T5Stack
  /// `[vocabulary, width]`; nil where the word embeddings serve (v1.0).
  let outputTable: Parameter?

  /// - Parameter hasOutputTable: Whether the output table is a table of its own.
  public init(
    _ configuration: T5Configuration, hasOutputTable: Bool, _ initialiser: ParameterInitialiser
  ) {
    self.configuration = configuration
    let table = [configuration.vocabularySize, configuration.width]
    wordEmbeddings = initialiser.normal(
      table, standardDeviation: configuration.initialDeviation)
    outputTable =
      hasOutputTable
      ? initialiser.normal(table, standardDeviation: configuration.initialDeviation) : nil
    encoder = T5Stack(configuration, isDecoder: false, initialiser)
    decoder = T5Stack(configuration, isDecoder: true, initialiser)
  }

  public var embeddingWidth: Int { configuration.width }
  public var vocabularySize: Int { configuration.vocabularySize }
  public var maximumLength: Int? { nil }
  public var tokens: LanguageModelTokens { configuration.tokens }
  public var decoderStart: Int32? { configuration.decoderStart }

  public func embeddings(of tokens: [Int32]) -> Variable { wordEmbeddings.rows(tokens) }

  public func states(predicting targets: [[Int32]], after input: PackedRows) -> Variable {
    input.require(targets: targets)
    let read = targets.flatMap { [configuration.decoderStart] + $0.dropLast() }
    let lengths = targets.map(\.count)
    return decoder(
      embeddings(of: read), .causal(lengths), cross: .whole(encoded(input), lengths: lengths))
  }

  /// The encoder's states of some inputs.
  func encoded(_ input: PackedRows) -> PackedRows {
    PackedRows(encoder(input.rows, .bidirectional(input.lengths)), lengths: input.lengths)
  }

  public var outputWeight: Weight { (outputTable ?? wordEmbeddings).weight }

  public func headInput(_ states: Variable) -> Variable {
    let scales = configuration.scalesOutput ?? (outputTable == nil)
    return scales ? states * (1 / Float(configuration.width).squareRoot()) : states
  }

  public func decodingSession(after input: PackedRows) -> any DecodingSession {
    T5Session(model: self, input: input)
  }
}

/// Texts of a decoder that grow token by token, over inputs that were encoded once.
private final class T5Session: DecodingSession {
  private let model: T5
  private let own: KVCache
  private let crossed: KVCache

  init(model: T5, input: PackedRows) {
    self.model = model
    let layers = model.configuration.decoderLayers
    own = KVCache(layers: layers, lengths: input.lengths.map { _ in 1 })
    let crossed = KVCache(layers: layers, lengths: input.lengths)
    self.crossed = crossed
    withoutGradients {
      let states = model.encoded(input).rows
      for (layer, block) in model.decoder.blocks.elements.enumerated() {
        guard let attention = block.crossAttention else { continue }
        crossed.remember(
          layer: layer, keys: attention.key(states).value, values: attention.value(states).value)
      }
    }
  }

  var vocabularySize: Int { model.vocabularySize }

  func start() -> Tensor {
    withoutGradients {
      let first = own.lengths.map { _ in model.configuration.decoderStart }
      let pass = SequencePass.causal(own.lengths, memory: own)
      return logits(first, pass)
    }
  }

  func advance(_ tokens: [Int32], from parents: [Int]) -> Tensor {
    withoutGradients {
      own.reorder(parents)
      crossed.reorder(parents)
      defer { own.advance() }
      return logits(tokens, SequencePass(step: own))
    }
  }

  private func logits(_ tokens: [Int32], _ pass: SequencePass) -> Tensor {
    let states = model.decoder(model.embeddings(of: tokens), pass, cross: .step(crossed))
    return model.logits(states).value
  }
}
