import Tensors

/// The random draws of one forward pass in training: a rate and a generator for the step.
///
/// Evaluation has none, and every layer then leaves its values alone.
public struct TrainingRandomness: Sendable {
  /// The dropout rate.
  public let rate: Float
  private let generator: Philox

  public init(rate: Float, seed: UInt64, step: Int) {
    self.rate = rate
    generator = Philox(seed: seed, stream: 0xD809_0000_0000 &+ UInt64(step))
  }

  /// Dropout for one use in the network.
  public func dropout(site: Int) -> Dropout {
    Dropout(rate: rate, generator: generator, site: UInt32(site))
  }
}
