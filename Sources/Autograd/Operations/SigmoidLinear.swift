import Tensors

/// The sigmoid-weighted linear unit `y = x · σ(a · x)`, `σ(z) = 1 / (1 + exp(−z))`
/// (Hendrycks and Gimpel 2016, §2): SiLU with `a = 1`, and with `a = 1.702` the approximation of GELU
/// that CLIP was trained with.
protocol SigmoidLinear: DifferentiableFunction {
  /// a
  static var slope: Float { get }
}

extension SigmoidLinear {
  @inline(__always)
  static func value(_ x: Vector) -> Vector {
    x * (x * slope).logistic()
  }

  /// `σ(z) · (1 + z · (1 − σ(z)))` with `z = a · x`.
  @inline(__always)
  static func derivative(_ x: Vector) -> Vector {
    let z = Logistic.bounded(x * slope)
    let (share, rest) = Logistic.shares(z)
    return share * Vector(repeating: 1).addingProduct(z, rest)
  }
}

/// The logistic function and what it leaves of one.
enum Logistic {
  /// Beyond ±80 the function is 0 or 1 in float32; an infinite `z` would make products with it no
  /// numbers.
  @inline(__always)
  static func bounded(_ z: Vector) -> Vector {
    let low = z.replacing(with: -80, where: z .< -80)
    return low.replacing(with: 80, where: low .> 80)
  }

  /// `σ(z)` and `1 − σ(z) = exp(−z) · σ(z)`, which loses no digits.
  @inline(__always)
  static func shares(_ z: Vector) -> (share: Vector, rest: Vector) {
    let power = (Vector.zero - z).exponential()
    let share = 1 / (1 + power)
    return (share, power * share)
  }
}
