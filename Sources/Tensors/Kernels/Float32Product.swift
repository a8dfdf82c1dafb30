import COpenBLAS

extension Float: ProductElement {
  public static var precision: ProductPrecision { .float32 }

  /// Products of at least so many multiplications go to oneDNN where that is faster: for smaller ones
  /// its preparations weigh more than its speed.
  private static let leastForOneDNN = 128 * 128 * 128

  /// Rows that a multiple of this many bytes apart lie in the same places of the first-level cache, which
  /// has eight of each: read transposed, they drive each other out.
  private static let cachePeriod = 4096

  /// Products whose transposed factor would be read so: a product of its transpose takes a tenth less.
  static func multiplyWhole(_ product: MatrixProduct<Float>, then map: FusedMap?) -> Bool {
    let form = product.form
    let factor = form == .firstTransposed ? product.a : product.b
    guard form != .plain, factor.stride * MemoryLayout<Float>.stride % cachePeriod == 0,
      OneDNN.isFastInFloat32,
      min(product.rows, product.inner, product.columns) >= leastForTransposition
    else { return false }
    let transposed = Tensor(shape: [factor.columns, factor.rows]) { transpose(factor, into: $0) }
    transposed.readMatrix { transposed in
      MatrixProduct(
        form == .firstTransposed ? transposed : product.a,
        form == .firstTransposed ? product.b : transposed, .plain, into: product.c,
        cStride: product.cStride, product.sum
      ).multiply(then: map)
    }
    return true
  }

  /// With fewer rows the transposition would weigh.
  private static let leastForTransposition = 256

  static func multiply(_ product: MatrixProduct<Float>) {
    let (a, b, form, sum) = (product.a, product.b, product.form, product.sum)
    let (rows, inner, columns) = (product.rows, product.inner, product.columns)
    let cStride = product.cStride
    guard case .float32(let target) = product.c else {
      preconditionFailure("products of float32 numbers are float32")
    }
    if rows * inner * columns >= leastForOneDNN, sum.isSimple, OneDNN.isFastInFloat32 {
      return multiplyByOneDNN(product)
    }
    if let bias = sum.bias {
      for row in 0..<rows { (target + row * cStride).update(from: bias, count: columns) }
    }
    cblas_sgemm(
      CblasRowMajor, form == .firstTransposed ? CblasTrans : CblasNoTrans,
      form == .secondTransposed ? CblasTrans : CblasNoTrans, blasint(rows), blasint(columns),
      blasint(inner), sum.scale, a.pointer, blasint(a.stride), b.pointer, blasint(b.stride),
      sum.bias == nil ? sum.beta : 1, target, blasint(cStride))
  }
}
