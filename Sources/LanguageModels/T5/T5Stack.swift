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
      (0..<count).map { _ in T5Block(configuration, isDecoder: isDecoder, initialiser) })
    finalNorm = RootMeanSquareNorm(
      width: configuration.width, epsilon: configuration.epsilon, initialiser)
    buckets = DistanceBuckets(
      count: configuration.distanceBuckets, maximumDistance: configuration.maximumDistance,
      isBidirectional: !isDecoder)
  }

  /// - Parameter x: `[rows, width]`.
  /// - Returns: `[rows, width]`.
  func callAsFunction(_ x: Variable, _ pass: SequencePass, cross: CrossPass? = nil) -> Variable {
    let bias = RelativeBias(table: distanceBiases.variable) { [buckets] in buckets($0) }
    var x = x
    for (layer, block) in blocks.elements.enumerated() {
      x = block(x, pass.inLayer(layer, of: blocks.elements.count), cross: cross, bias: bias)
    }
    return finalNorm(x)
  }
}

/// Self-attention, in decoders cross-attention, and feed-forward, each with its norm before it.
struct T5Block: Module {
  let selfNorm: RootMeanSquareNorm
  let selfAttention: MultiHeadAttention
  let feedForwardNorm: RootMeanSquareNorm
  let feedForward: FeedForward
  let crossNorm: RootMeanSquareNorm?
  let crossAttention: MultiHeadAttention?

  init(
    _ configuration: T5Configuration, isDecoder: Bool, _ initialiser: ParameterInitialiser
  ) {
    let (width, deviation) = (configuration.width, configuration.initialDeviation)
    func norm() -> RootMeanSquareNorm {
      RootMeanSquareNorm(width: width, epsilon: configuration.epsilon, initialiser)
    }
    func attention() -> MultiHeadAttention {
      MultiHeadAttention(
        width: width,
        heads: AttentionHeads(
          configuration.heads, width: configuration.headWidth, scalesScores: false),
        hasBias: false, deviation: deviation, initialiser)
    }
    selfNorm = norm()
    selfAttention = attention()
    crossNorm = isDecoder ? norm() : nil
    crossAttention = isDecoder ? attention() : nil
    feedForwardNorm = norm()
    feedForward = FeedForward(
      width: width, innerWidth: configuration.feedForwardWidth,
      activation: configuration.activation, isGated: configuration.isGated, hasBias: false,
      deviation: deviation, initialiser)
  }

  func callAsFunction(
    _ x: Variable, _ pass: SequencePass, cross: CrossPass?, bias: RelativeBias
  ) -> Variable {
    var x = x + selfAttention(selfNorm(x), pass, bias: bias)
    if let crossNorm, let crossAttention, let cross {
      x = x + crossAttention(crossNorm(x), cross, layer: pass.layer)
    }
    return x + feedForward(feedForwardNorm(x))
  }
}
