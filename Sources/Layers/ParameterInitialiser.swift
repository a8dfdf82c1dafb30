import Tensors

/// Draws the starting values of a model's parameters; each parameter has a site of its own, in the
/// order in which they are made.
public final class ParameterInitialiser {
  private let generator: Philox
  private var site: UInt32 = 0

  public init(seed: UInt64) {
    generator = Philox(seed: seed, stream: 0x1A17)
  }

  /// N(0, standardDeviation²).
  public func normal(
    _ shape: [Int], standardDeviation: Float, decays: Bool = true
  ) -> Parameter {
    let (generator, site) = nextSite()
    return Parameter(shape: shape, decays: decays) {
      .normal(shape, standardDeviation: standardDeviation, generator: generator, site: site)
    }
  }

  /// Uniform in ±bound.
  public func uniform(_ shape: [Int], bound: Float, decays: Bool = true) -> Parameter {
    let (generator, site) = nextSite()
    return Parameter(shape: shape, decays: decays) {
      .uniform(shape, from: -bound, to: bound, generator: generator, site: site)
    }
  }

  /// One value everywhere.
  public func constant(_ shape: [Int], _ value: Float, decays: Bool = false) -> Parameter {
    Parameter(shape: shape, decays: decays) { Tensor(repeating: value, shape: shape) }
  }

  /// Numbers that are not drawn.
  public func given(
    _ shape: [Int], decays: Bool = true, _ values: @escaping @Sendable () -> Tensor
  ) -> Parameter {
    Parameter(shape: shape, decays: decays, initialValue: values)
  }

  private func nextSite() -> (Philox, UInt32) {
    defer { site += 1 }
    return (generator, site)
  }
}
