import Tensors

/// The exact Gaussian error linear unit, `gelu(x) = x · Φ(x)`, `Φ(x) = (1 + erf(x / √2)) / 2`
/// (Hendrycks and Gimpel 2016).
enum GELU: DifferentiableFunction {
  @inline(__always)
  static func value(_ x: Vector) -> Vector {
    x * cumulative(x)
  }

  /// Differs from `gelu(x)` by less than 5 · 10⁻⁶ + 3 · 10⁻⁷ · |x|.
  @inline(__always)
  static func roundedValue(_ x: Vector) -> Vector { x * roundedCumulative(x) }

  /// `Φ(x) + x · φ(x)`, with the normal density `φ(x) = exp(−x² / 2) / √(2π)`.
  @inline(__always)
  static func derivative(_ x: Vector) -> Vector {
    let density = (x * x * -0.5).exponential() * 0.398_942_28
    return cumulative(x).addingProduct(x, density)
  }

  @inline(__always)
  static func roundedDerivative(_ x: Vector) -> Vector {
    let density = (x * x * -0.5).roundedExponential() * 0.398_942_28
    return roundedCumulative(x).addingProduct(x, density)
  }

  /// `Φ(x) = 1/2 + x · q(x²)` between −5 and 5, zero or one beyond: a minimax polynomial of degree 11 in
  /// `u = 2 x² / 25 − 1`, in which its terms do not cancel. A third of what `cumulative` takes.
  @inline(__always)
  private static func roundedCumulative(_ x: Vector) -> Vector {
    let above = x.replacing(with: -5, where: x .< -5)
    let near = above.replacing(with: 5, where: above .> 5)
    let u = Vector(repeating: -1).addingProduct(near * near, Vector(repeating: 0.08))
    var q = Vector(repeating: 0.003_430_967_2)
      .addingProduct(u, Vector(repeating: -0.001_333_782_2))
    q = Vector(repeating: -0.003_384_751_7).addingProduct(q, u)
    q = Vector(repeating: 0.004_621_253_3).addingProduct(q, u)
    q = Vector(repeating: -0.010_534_696).addingProduct(q, u)
    q = Vector(repeating: 0.017_261_451).addingProduct(q, u)
    q = Vector(repeating: -0.023_513_641).addingProduct(q, u)
    q = Vector(repeating: 0.031_256_787).addingProduct(q, u)
    q = Vector(repeating: -0.040_404_312).addingProduct(q, u)
    q = Vector(repeating: 0.051_535_044).addingProduct(q, u)
    q = Vector(repeating: -0.070_297_919).addingProduct(q, u)
    q = Vector(repeating: 0.141_363_61).addingProduct(q, u)
    return Vector(repeating: 0.5).addingProduct(near, q)
  }

  @inline(__always)
  private static func cumulative(_ x: Vector) -> Vector {
    Vector(repeating: 0.5).addingProduct((x * 0.707_106_78).errorFunction(), Vector(repeating: 0.5))
  }
}

/// The approximation `x · (1 + tanh(u)) / 2 = x · σ(2u)`, `u = √(2/π) · (x + 0.044715 · x³)`
/// (Hendrycks and Gimpel 2016, §2), which T5 v1.1 was trained with.
enum TanhGELU: DifferentiableFunction {
  @inline(__always)
  static func value(_ x: Vector) -> Vector {
    x * doubled(x).logistic()
  }

  /// `σ(z) + x · σ(z) · (1 − σ(z)) · z'` with `z = 2u`.
  @inline(__always)
  static func derivative(_ x: Vector) -> Vector {
    let (share, rest) = Logistic.shares(Logistic.bounded(doubled(x)))
    let slope = Vector(repeating: scale).addingProduct(x * x, Vector(repeating: 3 * cubic * scale))
    // Where σ or 1 − σ is 0, so is the second term, however large x is.
    let tail = (x * slope * rest).replacing(with: 0, where: rest .< 1e-30)
    return share * (1 + tail.replacing(with: 0, where: share .< 1e-30))
  }

  private static var scale: Float { 1.595_769_1 }
  private static var cubic: Float { 0.044_715 }

  @inline(__always)
  private static func doubled(_ x: Vector) -> Vector {
    x * Vector(repeating: scale).addingProduct(x * x, Vector(repeating: cubic * scale))
  }
}
