import Tensors

/// The approximation of GELU that CLIP was trained with, `quickGELU(x) = x · σ(a · x)`, `a = 1.702`,
/// `σ(z) = 1 / (1 + exp(−z))` (Hendrycks and Gimpel 2016, §2).
enum QuickGELU {
  private static let slope: Float = 1.702

  @inline(__always)
  static func value(_ x: Vector) -> Vector {
    x * (x * slope).logistic()
  }

  /// `σ(z) · (1 + z · (1 − σ(z)))` with `z = a · x`; `1 − σ(z) = exp(−z) · σ(z)` loses no digits.
  @inline(__always)
  static func derivative(_ x: Vector) -> Vector {
    // Beyond ±80 the derivative is 0 or 1; an infinite z would make it no number.
    let low = (x * slope).replacing(with: -80, where: x * slope .< -80)
    let z = low.replacing(with: 80, where: low .> 80)
    let power = (Vector.zero - z).exponential()
    let share = 1 / (1 + power)
    return share * Vector(repeating: 1).addingProduct(z, power * share)
  }
}

extension Variable {
  /// The quick GELU of each value, `y = x · σ(1.702 · x)`.
  ///
  /// Pullback: `dx = dy · σ(z) · (1 + z · (1 − σ(z)))`, `z = 1.702 · x`.
  /// - Returns: A variable of the receiver's shape.
  public func quickGELU() -> Variable {
    let x = value
    return .recording(x.mapped(QuickGELU.value), from: self) { dy in
      dy.combined(with: x) { dy, x in dy * QuickGELU.derivative(x) }
    }
  }
}
