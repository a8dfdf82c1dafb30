/// The sizes of a Q-Former (Li et al. 2023, §3.1: BERT-base with cross-attention).
public struct QFormerConfiguration: Codable, Equatable, Sendable {
  public var width = 768
  public var layers = 12
  public var heads = 12
  /// The inner width of the feed-forward blocks.
  public var feedForwardWidth = 3072
  public var queries = 32
  /// Cross-attention stands in layers 0, n, 2n, …
  public var crossAttentionFrequency = 2
  public var maximumPositions = 512
  /// BERT's 30522 and `[DEC]`.
  public var vocabularySize = 30_523
  public var dropout: Float = 0.1
  public var layerNormEpsilon: Float = 1e-12
  /// The standard deviation of new weights.
  public var initialDeviation: Float = 0.02

  public init() {}

  public func hasCrossAttention(_ layer: Int) -> Bool { layer % crossAttentionFrequency == 0 }
}
