import Tensors

/// What this machine can do, measured now, over all threads.
struct MachineLimits {
  /// Multiplications and additions a second.
  let float32: Double
  let bfloat16: Double
  let int8: Double
  /// Bytes a second, read or written, from memory that no cache holds.
  let bandwidth: Double

  private static let size = 2048
  private static let copiedValues = 32 << 20

  /// Takes about two seconds.
  static func measured() -> MachineLimits {
    let factor = Timing.values([size, size])
    let copy = Tensor.zeros([copiedValues])
    let seconds = Timing.median {
      _ = copy.mapped { $0 }
    }
    return MachineLimits(
      float32: rate(DenseWeight(factor), factor),
      bfloat16: rate(BFloat16Weight(DenseWeight(factor)), factor),
      // So many outputs that the rounding of the rows, which is no product, hardly counts.
      int8: rate(Int8Weight(DenseWeight(Timing.values([4 * size, size]))), factor),
      bandwidth: Double(2 * copiedValues * MemoryLayout<Float>.stride) / seconds)
  }

  private static func rate(_ weight: any MatrixWeight, _ x: Tensor) -> Double {
    let factor = weight.factor(.float32(x))
    let shape = [x.rowCount, weight.outputs]
    let seconds = Timing.median {
      _ = Tensor(shape: shape) { weight.apply(to: factor, bias: nil, into: .float32($0)) }
    }
    return 2 * Double(x.count) * Double(weight.outputs) / seconds
  }

  /// The seconds that products take at these rates.
  func seconds(_ products: ProductCount) -> Double {
    Double(products.float32Operations) / float32 + Double(products.bfloat16Operations) / bfloat16
      + Double(products.int8Operations) / int8
  }
}
