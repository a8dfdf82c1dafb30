import Configuration

/// The sizes of a Q-Former (Li et al. 2023, §3.1: BERT-base with cross-attention).
public struct QFormerConfiguration: Codable, Equatable, Sendable {
  @Key(1...16_384, "The width of the layers.")
  public var width = 768
  @Key(1...512, "Layers.")
  public var layers = 12
  @Key(1...1024, "Attention heads; a divisor of the width.")
  public var heads = 12
  @Key(1...131_072, "The inner width of the feed-forward blocks.")
  public var feedForwardWidth = 3072
  @Key(1...4096, "Learned queries.")
  public var queries = 32
  @Key(1...512, "Cross-attention stands in layers 0, n, 2n, …")
  public var crossAttentionFrequency = 2
  @Key(3...65_536, "Positions of the text: its longest, in tokens.")
  public var maximumPositions = 512
  @Key(1...(1 << 24), "Tokens of the vocabulary: BERT's 30522 and `[DEC]`.")
  public var vocabularySize = 30_523
  @Key(0...0.999, "The share of activations that training drops.")
  public var dropout: Float = 0.1
  @Key(1e-30...1, "Added to the variance in layer norms.")
  public var layerNormEpsilon: Float = 1e-12
  @Key(
    1e-30...1,
    "Added to the variance in the norm over the image features: 1e-5 in the authors' code, 1e-6 in "
      + "Hugging Face's models.")
  public var visionNormEpsilon: Float = 1e-5
  @Key(0...100, "The standard deviation of new weights.")
  public var initialDeviation: Float = 0.02

  public init() {}

  public func hasCrossAttention(_ layer: Int) -> Bool { layer % crossAttentionFrequency == 0 }
}
