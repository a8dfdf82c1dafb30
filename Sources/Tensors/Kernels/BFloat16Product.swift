extension BFloat16: ProductElement {
  public static var precision: ProductPrecision { .bfloat16 }

  static func multiplyWhole(_ product: MatrixProduct<BFloat16>, then map: FusedMap?) -> Bool {
    guard product.inner > 0,
      TiledProduct.isFastest(rows: product.rows, columns: product.columns)
    else { return false }
    TiledProduct.multiply(product, then: map)
    return true
  }

  static func multiply(_ product: MatrixProduct<BFloat16>) {
    if OneDNN.multipliesBFloat16, product.sum.isSimple {
      multiplyByOneDNN(product)
    } else {
      multiplyAsFloats(product)
    }
  }

  /// The same product in float32: what processors without bfloat16 do, and tests compare with.
  static func multiplyAsFloats(_ product: MatrixProduct<BFloat16>) {
    withFloats(of: product.a) { a in
      withFloats(of: product.b) { b in
        func multiply(into c: UnsafeMutablePointer<Float>, cStride: Int) {
          Float.multiply(
            MatrixProduct(a, b, product.form, into: .float32(c), cStride: cStride, product.sum))
        }
        switch product.c {
        case .float32(let target): multiply(into: target, cStride: product.cStride)
        case .bfloat16(let target):
          let (rows, columns) = (product.rows, product.columns)
          let storage = Storage(count: rows * columns)
          withExtendedLifetime(storage) {
            multiply(into: storage.pointer, cStride: columns)
            for row in 0..<rows {
              roundVectors(
                storage.pointer + row * columns, into: target + row * product.cStride,
                count: columns)
            }
          }
        }
      }
    }
  }

  private static func withFloats(
    of x: ElementView<BFloat16>, _ body: (MatrixView) -> Void
  ) {
    let storage = Storage(count: x.rows * x.columns)
    withExtendedLifetime(storage) {
      for row in 0..<x.rows {
        expandVectors(
          x.pointer + row * x.stride, into: storage.pointer + row * x.columns, count: x.columns)
      }
      body(MatrixView(storage.pointer, rows: x.rows, columns: x.columns))
    }
  }
}
