import Autograd

/// `outer(f(inner(x)))`, or `outer(f(gate(x)) · inner(x))` where it is gated (Shazeer 2020).
public struct FeedForward: Module {
  public let inner: Linear
  public let outer: Linear
  let gate: Linear?
  let activation: Activation

  /// - Parameter deviation: The standard deviation of new weights.
  public init(
    width: Int, innerWidth: Int, activation: Activation, isGated: Bool = false,
    hasBias: Bool = true, deviation: Float, _ initialiser: ParameterInitialiser
  ) {
    func map(_ inputs: Int, _ outputs: Int) -> Linear {
      Linear(
        inputs: inputs, outputs: outputs, hasBias: hasBias, start: .normal(deviation: deviation),
        initialiser)
    }
    gate = isGated ? map(width, innerWidth) : nil
    inner = map(width, innerWidth)
    outer = map(innerWidth, width)
    self.activation = activation
  }

  /// - Parameters:
  ///   - x: `[rows, width]`.
  ///   - inComputePrecision: Whether the result may be bfloat16.
  /// - Returns: `[rows, width]`.
  public func callAsFunction(_ x: Variable, inComputePrecision: Bool = false) -> Variable {
    let hidden =
      if let gate {
        inner(x, inComputePrecision: true).gated(by: gate(x, inComputePrecision: true), activation)
      } else {
        inner(x, then: activation, inComputePrecision: true)
      }
    return outer(hidden, inComputePrecision: inComputePrecision)
  }
}
