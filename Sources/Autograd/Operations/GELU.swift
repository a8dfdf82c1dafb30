import Tensors

/// The exact Gaussian error linear unit, `gelu(x) = x · Φ(x)`, `Φ(x) = (1 + erf(x / √2)) / 2`
/// (Hendrycks and Gimpel 2016).
enum GELU {
  @inline(__always)
  static func value(_ x: Vector) -> Vector {
    x * cumulative(x)
  }

  /// `Φ(x) + x · φ(x)`, with the normal density `φ(x) = exp(−x² / 2) / √(2π)`.
  @inline(__always)
  static func derivative(_ x: Vector) -> Vector {
    let density = (x * x * -0.5).exponential() * 0.398_942_28
    return cumulative(x).addingProduct(x, density)
  }

  @inline(__always)
  private static func cumulative(_ x: Vector) -> Vector {
    Vector(repeating: 0.5).addingProduct((x * 0.707_106_78).errorFunction(), Vector(repeating: 0.5))
  }
}

extension Variable {
  /// The exact (erf) GELU of each value.
  ///
  /// Pullback: `dx = dy · (Φ(x) + x · φ(x))`.
  /// - Returns: A variable of the receiver's shape.
  public func gelu() -> Variable {
    let x = value
    return .recording(x.mapped(GELU.value), from: self) { dy in
      dy.combined(with: x) { dy, x in dy * GELU.derivative(x) }
    }
  }
}
