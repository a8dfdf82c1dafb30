extension BFloat16: ProductElement {
  static var precision: ProductPrecision { .bfloat16 }

  static func multiply(
    _ a: ElementView<BFloat16>, _ b: ElementView<BFloat16>, _ form: ProductForm,
    into c: ProductResult, cStride: Int, _ sum: ProductSum
  ) {
    if OneDNN.multipliesBFloat16, sum.isSimple {
      multiplyByOneDNN(a, b, form, into: c, cStride: cStride, sum)
    } else {
      multiplyAsFloats(a, b, form, into: c, cStride: cStride, sum)
    }
  }

  /// The same product in float32: what processors without bfloat16 do, and tests compare with.
  static func multiplyAsFloats(
    _ a: ElementView<BFloat16>, _ b: ElementView<BFloat16>, _ form: ProductForm,
    into c: ProductResult, cStride: Int, _ sum: ProductSum
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

/// Several like products on the calling thread, such as those of an attention's heads.
public struct BFloat16ProductBatch {
  public let count: Int
  /// So many numbers from one product's A, B and C to the next one's.
  public let aStep: Int
  public let bStep: Int
  public let cStep: Int

  public init(count: Int, aStep: Int, bStep: Int, cStep: Int) {
    self.count = count
    self.aStep = aStep
    self.bStep = bStep
    self.cStep = cStep
  }

  /// C = A · B for each, or C + A · B where it `adds`.
  /// - Parameters:
  ///   - a: The first product's A.
  ///   - c: The first product's C, `cStride` numbers from row to row.
  public func multiply(
    _ a: ElementView<BFloat16>, _ b: ElementView<BFloat16>, _ form: ProductForm,
    into c: ProductResult, cStride: Int, adds: Bool = false
  ) {
    let (rows, inner, columns) = form.sizes(a, b)
    if rows == 0 || columns == 0 || inner == 0 { return }
    let sum = ProductSum(keeping: adds ? 1 : 0)
    ProductCounter.count(
      rows: count * rows, inner: inner, columns: columns, precision: .bfloat16,
      factorBytes: count * (rows + columns) * inner * MemoryLayout<BFloat16>.stride
    ) {
      guard OneDNN.multipliesBFloat16 else {
        for index in 0..<count {
          BFloat16.multiplyAsFloats(
            a.moved(by: index * aStep), b.moved(by: index * bStep), form,
            into: c.advanced(by: index * cStep), cStride: cStride, sum)
        }
        return
      }
      var shape = BFloat16.oneDNNShape(a, b, form, into: c, cStride: cStride, sum)
      if count > 1 { shape.batch = .init(count: count, a: aStep, b: bStep, c: cStep) }
      OneDNN.product(shape).run(a.pointer, b.pointer, into: c.pointer)
    }
  }
}
