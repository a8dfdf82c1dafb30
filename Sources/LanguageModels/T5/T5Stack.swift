import Autograd
import Layers

/// The blocks of an encoder or a decoder, with the biases for distances that they share.
struct T5Stack: Module {
  /// `[buckets, heads]`.
  let distanceBiases: Parameter
  let blocks: ModuleList<T5Block>
  let finalNorm: RootMeanSquareNorm
  private let buckets: DistanceBuckets

  init(
    _ configuration: T5Configuration, isDecoder: Bool, _ initialiser: ParameterInitialiser
  ) {
    distanceBiases = initialiser.normal(
      [configuration.distanceBuckets, configuration.heads],
      standardDeviation: configuration.initialDeviation)
    let count = isDecoder ? configuration.decoderLayers : configuration.encoderLayers
    blocks = ModuleList(
      (0..<count).map { T5Block(configuration, number: $0, isDecoder: isDecoder, initialiser) })
    finalNorm = RootMeanSquareNorm(
      width: configuration.width, epsilon: configuration.epsilon, initialiser)
    buckets = DistanceBuckets(
      count: configuration.distanceBuckets, maximumDistance: configuration.maximumDistance,
      isBidirectional: !isDecoder)
  }

  var members: [Member] {
    [
      .parameter("distanceBiases", distanceBiases), .module("blocks", blocks),
      .module("finalNorm", finalNorm),
    ]
  }

  /// - Parameter x: `[rows, width]`.
  /// - Returns: `[rows, width]`.
  func callAsFunction(_ x: Variable, _ pass: SequencePass, cross: CrossPass? = nil) -> Variable {
    let bias = RelativeBias(table: distanceBiases.variable) { [buckets] in buckets($0) }
    var x = x
    for block in blocks.elements { x = block(x, pass, cross: cross, bias: bias) }
    return finalNorm(x)
  }
}

/// Self-attention, in decoders cross-attention, and feed-forward, each with its norm before it.
struct T5Block: Module {
  let number: Int
  let selfNorm: RootMeanSquareNorm
  let selfAttention: T5Attention
  let crossNorm: RootMeanSquareNorm?
  let crossAttention: T5Attention?
  let feedForwardNorm: RootMeanSquareNorm
  let feedForward: T5FeedForward

  init(
    _ configuration: T5Configuration, number: Int, isDecoder: Bool,
    _ initialiser: ParameterInitialiser
  ) {
    self.number = number
    func norm() -> RootMeanSquareNorm {
      RootMeanSquareNorm(
        width: configuration.width, epsilon: configuration.epsilon, initialiser)
    }
    selfNorm = norm()
    selfAttention = T5Attention(configuration, initialiser)
    crossNorm = isDecoder ? norm() : nil
    crossAttention = isDecoder ? T5Attention(configuration, initialiser) : nil
    feedForwardNorm = norm()
    feedForward = T5FeedForward(configuration, initialiser)
  }

  var members: [Member] {
    var members: [Member] = [
      .module("selfNorm", selfNorm), .module("selfAttention", selfAttention),
      .module("feedForwardNorm", feedForwardNorm), .module("feedForward", feedForward),
    ]
    if let crossNorm { members.append(.module("crossNorm", crossNorm)) }
    if let crossAttention { members.append(.module("crossAttention", crossAttention)) }
    return members
  }

  func callAsFunction(
    _ x: Variable, _ pass: SequencePass, cross: CrossPass?, bias: RelativeBias
  ) -> Variable {
    var x = x + selfAttention(selfNorm(x), number, pass, bias)
    if let crossNorm, let crossAttention, let cross {
      x = x + crossAttention(crossNorm(x), number, cross)
    }
    return x + feedForward(feedForwardNorm(x))
  }
}

/// Attention without biases and without a factor of the scores.
struct T5Attention: Module {
  let query: Projection
  let key: Projection
  let value: Projection
  let output: Projection
  let headCount: Int

  init(_ configuration: T5Configuration, _ initialiser: ParameterInitialiser) {
    let (width, inner) = (configuration.width, configuration.heads * configuration.headWidth)
    // Queries are drawn small in place of a factor of the scores, as the original has it.
    let deviation = configuration.initialDeviation
    query = Projection(
      inputs: width, outputs: inner,
      deviation: deviation / Float(configuration.headWidth).squareRoot(), initialiser)
    key = Projection(inputs: width, outputs: inner, deviation: deviation, initialiser)
    value = Projection(inputs: width, outputs: inner, deviation: deviation, initialiser)
    output = Projection(inputs: inner, outputs: width, deviation: deviation, initialiser)
    headCount = configuration.heads
  }

  var members: [Member] {
    [
      .module("query", query), .module("key", key), .module("value", value),
      .module("output", output),
    ]
  }

  /// Self-attention.
  func callAsFunction(
    _ x: Variable, _ layer: Int, _ pass: SequencePass, _ bias: RelativeBias
  ) -> Variable {
    let options = AttentionOptions(headCount: headCount, scale: 1, bias: bias)
    return output(
      pass.attention(
        layer: layer, query(x, forProducts: true), keys: key(x, forProducts: true),
        values: value(x, forProducts: true), options: options))
  }

  /// Cross-attention, which has no biases for distances.
  func callAsFunction(_ x: Variable, _ layer: Int, _ cross: CrossPass) -> Variable {
    let options = AttentionOptions(headCount: headCount, scale: 1)
    return output(
      cross.attention(layer: layer, query(x, forProducts: true), options: options) {
        (key($0, forProducts: true), value($0, forProducts: true))
      })
  }
}

/// `outer(f(inner(x)))`, or `outer(f(gate(x)) · inner(x))` in v1.1.
struct T5FeedForward: Module {
  let gate: Projection?
  let inner: Projection
  let outer: Projection
  let activation: Activation

  init(_ configuration: T5Configuration, _ initialiser: ParameterInitialiser) {
    let (width, innerWidth) = (configuration.width, configuration.feedForwardWidth)
    let deviation = configuration.initialDeviation
    gate =
      configuration.isGated
      ? Projection(inputs: width, outputs: innerWidth, deviation: deviation, initialiser) : nil
    inner = Projection(inputs: width, outputs: innerWidth, deviation: deviation, initialiser)
    outer = Projection(inputs: innerWidth, outputs: width, deviation: deviation, initialiser)
    activation = configuration.activation
  }

  var members: [Member] {
    var members: [Member] = [.module("inner", inner), .module("outer", outer)]
    if let gate { members.append(.module("gate", gate)) }
    return members
  }

  func callAsFunction(_ x: Variable) -> Variable {
    guard let gate else { return outer(inner(x, then: activation, forProducts: true)) }
    return outer(
      inner(x, forProducts: true).gated(by: gate(x, forProducts: true), activation))
  }
}
