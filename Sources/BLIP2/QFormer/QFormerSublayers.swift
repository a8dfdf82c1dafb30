import Autograd
import Layers
import Tensors

/// Where dropout acts within a layer; with the layer's number it makes the site of the draws.
enum DropoutSite: Int {
  case selfAttention, selfAttentionOutput, crossAttention, crossAttentionOutput
  case queryFeedForward, textFeedForward

  /// Site 0 is the embeddings'.
  func number(layer: Int) -> Int { 1 + layer * 8 + rawValue }
}

/// Multi-head attention with its projections, then `layerNorm(dropout(dense(y)) + x)`.
struct AttentionBlock: Module {
  let query: Linear
  let key: Linear
  let value: Linear
  let output: Linear
  let norm: LayerNorm
  let headCount: Int

  /// - Parameter keyInputs: The width of what keys and values are computed from.
  init(_ configuration: QFormerConfiguration, keyInputs: Int, _ initialiser: ParameterInitialiser) {
    let width = configuration.width
    let start = Linear.Start.normal(deviation: configuration.initialDeviation)
    query = Linear(inputs: width, outputs: width, start: start, initialiser)
    key = Linear(inputs: keyInputs, outputs: width, start: start, initialiser)
    value = Linear(inputs: keyInputs, outputs: width, start: start, initialiser)
    output = Linear(inputs: width, outputs: width, start: start, initialiser)
    norm = LayerNorm(width: width, epsilon: configuration.layerNormEpsilon, initialiser)
    headCount = configuration.heads
  }

  var members: [Member] {
    [
      .module("query", query), .module("key", key), .module("value", value),
      .module("output", output), .module("norm", norm),
    ]
  }

  /// - Parameters:
  ///   - x: The rows that look, `[rows, width]`.
  ///   - memory: What they look at.
  func callAsFunction(
    _ x: Variable, memory: AttentionSource, layout: AttentionLayout, places: [RandomPlace],
    probabilityDropout: Dropout?, outputDropout: Dropout?
  ) -> Variable {
    let headWidth = Float(x.shape[1] / headCount)
    let options = AttentionOptions(
      headCount: headCount, scale: 1 / headWidth.squareRoot(), dropout: probabilityDropout)
    let queries = query(x, forProducts: true)
    let attended =
      switch memory {
      case .keyValues(let memory):
        queries.attention(
          keys: memory.keys, values: memory.values, layout: layout, options: options)
      case .rows(let rows):
        rows.attended(by: queries, key: key, value: value, layout: layout, options: options)
      }
    return norm(
      output(attended, forProducts: true), addedTo: x, dropout: outputDropout, places: places)
  }

  /// The keys and values of some rows.
  func keyValues(_ x: Variable) -> KeyValues {
    KeyValues(keys: key(x, forProducts: true), values: value(x, forProducts: true))
  }

  /// What is computed of image features before queries read them.
  /// - Parameters:
  ///   - x: The features of all images.
  ///   - tokens: The number of feature rows of each image.
  ///   - queryRows: How many query rows read each image, in all passes together.
  func memory(_ x: NormalisedRows, tokens: Int, queryRows: Int) -> AttentionSource {
    if x.areBetterAbsorbed(in: key, queryRows: queryRows, keyRows: tokens, headCount: headCount) {
      return .rows(x)
    }
    return .keyValues(
      KeyValues(
        keys: x.mapped(by: key, forProducts: true), values: x.mapped(by: value, forProducts: true)))
  }
}

/// What an attention looks at.
public enum AttentionSource {
  case keyValues(KeyValues)
  /// Rows whose keys and values are not computed: the attention absorbs their maps.
  case rows(NormalisedRows)
}

/// Keys and values of one attention, each `[rows, width]`.
public struct KeyValues {
  public let keys: Variable
  public let values: Variable
}

/// `layerNorm(dropout(W₂ · gelu(W₁ · x)) + x)`.
struct FeedForwardBlock: Module {
  let inner: Linear
  let output: Linear
  let norm: LayerNorm

  init(_ configuration: QFormerConfiguration, _ initialiser: ParameterInitialiser) {
    let (width, innerWidth) = (configuration.width, configuration.feedForwardWidth)
    let start = Linear.Start.normal(deviation: configuration.initialDeviation)
    inner = Linear(inputs: width, outputs: innerWidth, start: start, initialiser)
    output = Linear(inputs: innerWidth, outputs: width, start: start, initialiser)
    norm = LayerNorm(width: width, epsilon: configuration.layerNormEpsilon, initialiser)
  }

  var members: [Member] {
    [.module("inner", inner), .module("output", output), .module("norm", norm)]
  }

  func callAsFunction(_ x: Variable, dropout: Dropout?, places: [RandomPlace]) -> Variable {
    norm(
      output(inner(x, then: .gelu, forProducts: true), forProducts: true), addedTo: x,
      dropout: dropout, places: places)
  }

  /// Takes over another block's numbers.
  func copyValues(from other: FeedForwardBlock) {
    for (mine, theirs) in zip(namedParameters, other.namedParameters) {
      mine.parameter.value = theirs.parameter.value.copied()
    }
  }
}
