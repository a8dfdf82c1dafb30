extension BFloat16: ProductElement {
  public static var precision: ProductPrecision { .bfloat16 }

  static func multiplyWhole(
    _ a: ElementView<BFloat16>, _ b: ElementView<BFloat16>, _ form: TransposeMode,
    into c: ProductResult, cStride: Int, _ sum: Epilogue, then map: FusedMap?
  ) -> Bool {
    let (rows, inner, columns) = form.sizes(a, b)
    guard inner > 0, TiledProduct.isFastest(rows: rows, columns: columns) else { return false }
    TiledProduct.multiply(a, b, form, into: c, cStride: cStride, sum, then: map)
    return true
  }

  static func multiply(
    _ a: ElementView<BFloat16>, _ b: ElementView<BFloat16>, _ form: TransposeMode,
    into c: ProductResult, cStride: Int, _ sum: Epilogue
  ) {
    if OneDNN.multipliesBFloat16, sum.isSimple {
      multiplyByOneDNN(a, b, form, into: c, cStride: cStride, sum)
    } else {
      multiplyAsFloats(a, b, form, into: c, cStride: cStride, sum)
    }
  }

  /// The same product in float32: what processors without bfloat16 do, and tests compare with.
  static func multiplyAsFloats(
    _ a: ElementView<BFloat16>, _ b: ElementView<BFloat16>, _ form: TransposeMode,
    into c: ProductResult, cStride: Int, _ sum: Epilogue
  ) {
    withFloats(of: a) { a in
      withFloats(of: b) { b in
        switch c {
        case .float32:
          Float.multiply(a, b, form, into: c, cStride: cStride, sum)
        case .bfloat16(let target):
          let (rows, _, columns) = form.sizes(a, b)
          let storage = Storage(count: rows * columns)
          withExtendedLifetime(storage) {
            Float.multiply(a, b, form, into: .float32(storage.pointer), cStride: columns, sum)
            for row in 0..<rows {
              roundVectors(
                storage.pointer + row * columns, into: target + row * cStride, count: columns)
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
