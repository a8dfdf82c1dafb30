import Tensors

/// How fast this machine multiplies matrices now.
struct ProductRate: Codable {
  /// Both factors are `[size, size]`, float32.
  let size: Int
  /// Thousand million multiplications and additions a second, the median of several products.
  let allThreads: Double
  let oneThread: Double

  /// Takes about two seconds, on a slow machine the time of three products.
  static func measure(size: Int = 2048) -> ProductRate {
    let factor = Timing.values([size, size])
    let operations = 2 * Double(size) * Double(size) * Double(size)
    let parallel = Timing.median { _ = factor.product(factor) }
    let single = Timing.median {
      _ = Tensor(shape: [size, size]) { target in
        factor.readMatrix { matrix in
          singleThreadProduct(matrix, matrix, .plain, into: target, cStride: size)
        }
      }
    }
    return ProductRate(
      size: size, allThreads: operations / parallel / 1e9, oneThread: operations / single / 1e9)
  }
}
