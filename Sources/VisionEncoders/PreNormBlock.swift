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
    let middle = x + attention(norm1(x), layout)
    return middle + feedForward(norm2(middle))
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
      query(x).attention(keys: key(x), values: value(x), layout: layout, options: options))
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
    let (rows, width) = (x.shape[0], x.shape[1])
    // One product in the weight's own precision; a row of it holds a query, a key and a value.
    let projected = qkv(x).reshaped([3 * rows, width])
    func part(_ number: Int) -> Variable {
      projected.gatheredRows((0..<rows).map { Int32(3 * $0 + number) })
    }
    let options = AttentionOptions(
      headCount: headCount, scale: 1 / Float(width / headCount).squareRoot())
    return output(
      part(0).attention(keys: part(1), values: part(2), layout: layout, options: options))
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
    outer(inner(x, then: activation))
  }
}
