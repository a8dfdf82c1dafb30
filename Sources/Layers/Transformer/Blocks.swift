import Autograd
import Tensors

/// `x + λ₁ · attention(norm₁(x))`, then `x + λ₂ · feedForward(norm₂(x))`; λ is 1 without LayerScale
/// (Touvron et al. 2021).
public struct PreNormBlock<Attention: SelfAttention>: Module {
  let norm1: LayerNorm
  @Flattened public var attention: Attention
  /// λ₁, `[width]`.
  let scale1: Parameter?
  let norm2: LayerNorm
  @Flattened var feedForward: FeedForward
  /// λ₂, `[width]`.
  let scale2: Parameter?

  /// - Parameter layerScale: Where λ starts; nil for none.
  public init(
    _ attention: Attention, _ feedForward: FeedForward, width: Int, epsilon: Float,
    layerScale: Float? = nil, _ initialiser: ParameterInitialiser
  ) {
    norm1 = LayerNorm(width: width, epsilon: epsilon, initialiser)
    scale1 = layerScale.map { initialiser.constant([width], $0) }
    norm2 = LayerNorm(width: width, epsilon: epsilon, initialiser)
    scale2 = layerScale.map { initialiser.constant([width], $0) }
    self.attention = attention
    self.feedForward = feedForward
  }

  /// - Parameter x: `[rows, width]`.
  /// - Returns: `[rows, width]`.
  public func callAsFunction(_ x: Variable, layout: AttentionLayout) -> Variable {
    let middle = x.adding(
      attention(norm1(x, inComputePrecision: true), layout: layout), scaledBy: scale1?.variable)
    return middle.adding(
      feedForward(norm2(middle, inComputePrecision: true), inComputePrecision: true),
      scaledBy: scale2?.variable)
  }
}

/// A sublayer f whose norm follows the sum, as BERT has it: `layerNorm(dropout(f(x)) + x)`.
public struct PostNorm<Sublayer: Module>: Module {
  @Flattened public var sublayer: Sublayer
  let norm: LayerNorm

  public init(
    _ sublayer: Sublayer, width: Int, epsilon: Float, _ initialiser: ParameterInitialiser
  ) {
    norm = LayerNorm(width: width, epsilon: epsilon, initialiser)
    self.sublayer = sublayer
  }

  /// - Parameters:
  ///   - x: `[rows, width]`.
  ///   - f: What the sublayer makes of x, of the same shape.
  public func callAsFunction(
    _ x: Variable, dropout: Dropout?, places: [RandomPlace], _ f: (Sublayer) -> Variable
  ) -> Variable {
    norm(f(sublayer), addedTo: x, dropout: dropout, places: places)
  }
}
