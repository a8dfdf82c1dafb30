import Autograd
import Layers

/// A decoder's block: attention and feed-forward, each with its norm before it, or after the sum.
struct DecoderBlock<Norm: RowNorm>: Module {
  @Flattened var attention: MultiHeadAttention
  let attentionNorm: Norm
  @Flattened var feedForward: FeedForward
  let feedForwardNorm: Norm
  private let normsComeFirst: Bool

  init(
    _ attention: MultiHeadAttention, _ feedForward: FeedForward, width: Int, epsilon: Float,
    normsComeFirst: Bool = true, _ initialiser: ParameterInitialiser
  ) {
    attentionNorm = Norm(width: width, epsilon: epsilon, initialiser)
    feedForwardNorm = Norm(width: width, epsilon: epsilon, initialiser)
    self.normsComeFirst = normsComeFirst
    self.attention = attention
    self.feedForward = feedForward
  }

  /// - Parameters:
  ///   - x: `[rows, width]`.
  ///   - rotation: For all rows; nil where positions are not turned.
  /// - Returns: The outputs of the rows that look at others, `[rows, width]`.
  func callAsFunction(
    _ x: Variable, _ pass: SequencePass, rotation: RotaryPositions? = nil
  ) -> Variable {
    let looking = pass.looking(x)
    guard normsComeFirst else {
      let middle = attentionNorm(looking + attention(x, pass, rotation: rotation))
      return feedForwardNorm(middle + feedForward(middle))
    }
    let middle = looking + attention(attentionNorm(x), pass, rotation: rotation)
    return middle + feedForward(feedForwardNorm(middle))
  }
}
