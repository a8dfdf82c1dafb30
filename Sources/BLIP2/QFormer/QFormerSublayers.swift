import Layers
import Tensors

/// Where dropout acts within a layer; with the layer's number it makes the site of the draws.
enum DropoutSite: Int {
  case selfAttention, selfAttentionOutput, crossAttention, crossAttentionOutput
  case queryFeedForward, textFeedForward

  /// Site 0 is the embeddings'.
  func number(layer: Int) -> Int { 1 + layer * 8 + rawValue }
}

extension QFormerConfiguration {
  /// - Parameter keyInputs: The width of what keys and values are computed from.
  func attention(
    keyInputs: Int, _ initialiser: ParameterInitialiser
  ) -> PostNorm<MultiHeadAttention> {
    PostNorm(
      MultiHeadAttention(
        width: width, keyInputs: keyInputs,
        heads: AttentionHeads(heads, width: width / heads), deviation: initialDeviation,
        initialiser),
      width: width, epsilon: layerNormEpsilon, initialiser)
  }

  func feedForward(_ initialiser: ParameterInitialiser) -> PostNorm<QFormerFeedForward> {
    PostNorm(
      QFormerFeedForward(
        maps: FeedForward(
          width: width, innerWidth: feedForwardWidth, activation: .gelu,
          deviation: initialDeviation, initialiser)),
      width: width, epsilon: layerNormEpsilon, initialiser)
  }
}

/// A feed-forward whose second map is called `output`, as checkpoints have it.
struct QFormerFeedForward: Module {
  let maps: FeedForward

  var members: [Member] { [.module("inner", maps.inner), .module("output", maps.outer)] }
}
