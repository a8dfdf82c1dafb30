import Autograd
import Layers
import Tensors

/// `x + attention(norm₁(x))`, then `x + feedForward(norm₂(x))`.
struct PreNormBlock<Attention: SelfAttentionLayer>: Module {
  let norm1: LayerNorm
  let attention: Attention
  let norm2: LayerNorm
  let feedForward: FeedForward

  init(
    _ configuration: some ViTConfiguration, activation: Activation,
    _ initialiser: ParameterInitialiser
  ) {
    let (width, epsilon) = (configuration.width, configuration.layerNormEpsilon)
    norm1 = LayerNorm(width: width, epsilon: epsilon, initialiser)
    attention = Attention(configuration, initialiser)
    norm2 = LayerNorm(width: width, epsilon: epsilon, initialiser)
    feedForward = FeedForward(configuration, activation: activation, initialiser)
  }

  var members: [Member] {
    [.module("norm1", norm1)] + attention.members + [.module("norm2", norm2)]
      + feedForward.members
  }

  func callAsFunction(_ x: Variable, _ layout: AttentionLayout) -> Variable {
    let middle = x.adding(attention(norm1(x, forProducts: true), layout))
    return middle.adding(feedForward(norm2(middle, forProducts: true)))
  }
}

/// Self-attention with its projections.
protocol SelfAttentionLayer: Module {
  init(_ configuration: some ViTConfiguration, _ initialiser: ParameterInitialiser)

  /// - Parameter x: `[rows, width]`.
  /// - Returns: `[rows, width]`.
  func callAsFunction(_ x: Variable, _ layout: AttentionLayout) -> Variable
}

/// Self-attention whose queries, keys and values have a map each.
struct SelfAttention: SelfAttentionLayer {
  let query: Linear
  let key: Linear
  let value: Linear
  let output: Linear
  let headCount: Int

  init(_ configuration: some ViTConfiguration, _ initialiser: ParameterInitialiser) {
    let width = configuration.width
    let start = Linear.Start.normal(deviation: configuration.initialDeviation)
    query = Linear(inputs: width, outputs: width, start: start, initialiser)
    key = Linear(inputs: width, outputs: width, start: start, initialiser)
    value = Linear(inputs: width, outputs: width, start: start, initialiser)
    output = Linear(inputs: width, outputs: width, start: start, initialiser)
    headCount = configuration.heads
  }

  var members: [Member] {
    [
      .module("query", query), .module("key", key), .module("value", value),
      .module("output", output),
    ]
  }

  func callAsFunction(_ x: Variable, _ layout: AttentionLayout) -> Variable {
    let options = AttentionOptions(
      headCount: headCount, scale: 1 / Float(x.shape[1] / headCount).squareRoot())
    return output(
      query(x, forProducts: true).attention(
        keys: key(x, forProducts: true), values: value(x, forProducts: true), layout: layout,
        options: options), forProducts: true)
  }
}

/// Self-attention whose three maps are kept as one, as EVA's files have it.
struct FusedSelfAttention: SelfAttentionLayer {
  /// The rows of the queries' map, of the keys' and of the values', `[3 · width, width]`. The keys'
  /// part of the bias adds the same to all scores of a query, so it changes nothing.
  let qkv: Linear
  let output: Linear
  let headCount: Int

  init(_ configuration: some ViTConfiguration, _ initialiser: ParameterInitialiser) {
    let width = configuration.width
    let start = Linear.Start.normal(deviation: configuration.initialDeviation)
    qkv = Linear(inputs: width, outputs: 3 * width, start: start, initialiser)
    output = Linear(inputs: width, outputs: width, start: start, initialiser)
    headCount = configuration.heads
  }

  var members: [Member] { [.module("qkv", qkv), .module("output", output)] }

  func callAsFunction(_ x: Variable, _ layout: AttentionLayout) -> Variable {
    let width = x.shape[1]
    let biases = qkv.bias.variable.reshaped([3, width])
    // Rows share the storage of the whole, so a mapped file stays where it is.
    func projected(_ part: Int) -> Variable {
      x.linear(
        qkv.weight.weight(ofRows: part * width..<(part + 1) * width),
        bias: biases.rows(part..<part + 1), forProducts: true)
    }
    let options = AttentionOptions(
      headCount: headCount, scale: 1 / Float(width / headCount).squareRoot())
    return output(
      projected(0).attention(
        keys: projected(1), values: projected(2), layout: layout, options: options),
      forProducts: true)
  }
}

/// `outer(activation(inner(x)))`.
struct FeedForward: Module {
  let inner: Linear
  let outer: Linear
  let activation: Activation

  init(
    _ configuration: some ViTConfiguration, activation: Activation,
    _ initialiser: ParameterInitialiser
  ) {
    let (width, innerWidth) = (configuration.width, configuration.feedForwardWidth)
    let start = Linear.Start.normal(deviation: configuration.initialDeviation)
    inner = Linear(inputs: width, outputs: innerWidth, start: start, initialiser)
    outer = Linear(inputs: innerWidth, outputs: width, start: start, initialiser)
    self.activation = activation
  }

  var members: [Member] { [.module("inner", inner), .module("outer", outer)] }

  func callAsFunction(_ x: Variable) -> Variable {
    outer(inner(x, then: activation, forProducts: true), forProducts: true)
  }
}
