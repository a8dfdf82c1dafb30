import TestSupport
import Testing

@testable import Tensors

/// Matrix products against three plain loops in double precision.
@Suite struct MatrixProductTests {
  static let sizes = [0, 1, 3, 16, 17, 65, 130]
  static let forms: [TransposeMode] = [.plain, .secondTransposed, .firstTransposed]

  /// A matrix of `rows × columns` in a buffer whose rows are `stride` apart.
  struct Stored {
    let values: [Float]
    let rows: Int
    let columns: Int
    let stride: Int

    init(rows: Int, columns: Int, gap: Int, seed: UInt64) {
      (self.rows, self.columns, stride) = (rows, columns, columns + gap)
      // One value more, so that even an empty matrix has a place.
      values = randomTensor([rows * stride + 1], seed: seed).values
    }

    func read<Result>(_ body: (MatrixView) -> Result) -> Result {
      values.withUnsafeBufferPointer {
        body(MatrixView($0.baseAddress!, rows: rows, columns: columns, stride: stride))
      }
    }

    subscript(row: Int, column: Int) -> Double { Double(values[row * stride + column]) }
  }

  struct Product {
    let a: Stored
    let b: Stored
    let form: TransposeMode
    let rows: Int
    let inner: Int
    let columns: Int

    init(_ rows: Int, _ inner: Int, _ columns: Int, _ form: TransposeMode, gap: Int = 0) {
      (self.rows, self.inner, self.columns, self.form) = (rows, inner, columns, form)
      let aIsTransposed = form == .firstTransposed
      let bIsTransposed = form == .secondTransposed
      a = Stored(
        rows: aIsTransposed ? inner : rows, columns: aIsTransposed ? rows : inner, gap: gap,
        seed: 1)
      b = Stored(
        rows: bIsTransposed ? columns : inner, columns: bIsTransposed ? inner : columns, gap: gap,
        seed: 2)
    }

    /// The exact value at a place, and the sum of its terms' sizes.
    func exact(_ row: Int, _ column: Int) -> (value: Double, size: Double) {
      var (value, size) = (0.0, 0.0)
      for i in 0..<inner {
        let term =
          (form == .firstTransposed ? a[i, row] : a[row, i])
          * (form == .secondTransposed ? b[column, i] : b[i, column])
        value += term
        size += abs(term)
      }
      return (value, size)
    }
  }

  /// Holds c = scale · product + beta · start against the loops, and the gaps against harm.
  private func check(
    _ product: Product, scale: Float, beta: Float, gap: Int,
    _ multiply: (MatrixView, MatrixView, UnsafeMutablePointer<Float>, Int) -> Void
  ) -> String? {
    let stride = product.columns + gap
    let start: Float = beta == 0 ? .nan : 0.75
    var c = [Float](repeating: start, count: product.rows * stride + 1)
    for row in 0..<product.rows {
      for column in product.columns..<stride { c[row * stride + column] = -3 }
    }
    c.withUnsafeMutableBufferPointer { c in
      product.a.read { a in product.b.read { b in multiply(a, b, c.baseAddress!, stride) } }
    }
    for row in 0..<product.rows {
      for column in 0..<product.columns {
        let exact = product.exact(row, column)
        let expected = Double(scale) * exact.value + (beta == 0 ? 0 : Double(beta * start))
        // The bound of any order of summation: one rounding (2⁻²⁴) for each term and step.
        let size = Double(abs(scale)) * exact.size + Double(abs(beta))
        let bound = 0x1p-24 * Double(product.inner + 3) * size
        let found = Double(c[row * stride + column])
        if !(abs(found - expected) <= bound) {
          return "[\(row), \(column)]: expected \(expected) ± \(bound), found \(found)"
        }
      }
      for column in product.columns..<stride where c[row * stride + column] != -3 {
        return "row \(row): the gap between the rows was written to"
      }
    }
    return nil
  }

  @Test(arguments: sizes, forms)
  func parallelAgainstLoops(_ rows: Int, form: TransposeMode) {
    for inner in Self.sizes {
      for columns in Self.sizes {
        for beta in [Float(0), 1] {
          let product = Product(rows, inner, columns, form)
          let text = check(product, scale: 1, beta: beta, gap: 0) { a, b, c, stride in
            parallelProduct(a, b, form, into: c, cStride: stride, beta: beta)
          }
          #expect(text == nil, "\(rows) × \(inner) × \(columns), beta \(beta)")
        }
      }
    }
  }

  @Test(arguments: [1, 17, 65], forms)
  func stridesAndScale(_ rows: Int, form: TransposeMode) {
    for inner in [0, 3, 65] {
      for columns in [1, 16, 65] {
        for (beta, scale) in [(Float(0), Float(0.5)), (1, -2), (0.5, 1)] {
          let product = Product(rows, inner, columns, form, gap: 5)
          let parallel = check(product, scale: scale, beta: beta, gap: 3) { a, b, c, stride in
            parallelProduct(
              a, b, form, into: c, cStride: stride, scale: scale, beta: beta)
          }
          #expect(parallel == nil, "\(rows) × \(inner) × \(columns), beta \(beta)")
          let single = check(product, scale: scale, beta: beta, gap: 3) { a, b, c, stride in
            singleThreadProduct(
              a, b, form, into: c, cStride: stride, scale: scale, beta: beta)
          }
          #expect(single == nil, "\(rows) × \(inner) × \(columns), beta \(beta), one thread")
        }
      }
    }
  }

  /// Large products, one of whose factors would be read transposed with rows a cache's period apart.
  @Test(arguments: [TransposeMode.secondTransposed, .firstTransposed])
  func rowsACachePeriodApart(_ form: TransposeMode) {
    let product =
      form == .firstTransposed ? Product(1024, 260, 257, form) : Product(257, 1024, 260, form)
    for beta in [Float(0), 1] {
      let text = check(product, scale: 1, beta: beta, gap: 0) { a, b, c, stride in
        parallelProduct(a, b, form, into: c, cStride: stride, beta: beta)
      }
      #expect(text == nil, "beta \(beta)")
    }
  }

  @Test(arguments: [0, 1, 15, 16, 17, 64, 100], [0, 1, 16, 31, 65, 130])
  func transposition(_ rows: Int, _ columns: Int) {
    let x = randomTensor([rows, columns], seed: 3)
    let y = x.transposed()
    #expect(y.shape == [columns, rows])
    let (values, transposed) = (x.values, y.values)
    let isTransposed = (0..<rows * columns).allSatisfy { place in
      transposed[place % columns * rows + place / columns] == values[place]
    }
    #expect(isTransposed)
  }

  @Test func ofTensors() {
    let a = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
    let b = Tensor([1, 0, 2, -1, 0, 3], shape: [3, 2])
    #expect(a.product(b).values == [5, 7, 14, 13])
    #expect(a.product(b).shape == [2, 2])
    #expect(a.product(a, .secondTransposed).values == [14, 32, 32, 77])
    #expect(a.product(a, .firstTransposed).values == [17, 22, 27, 22, 29, 36, 27, 36, 45])
    #expect(Tensor.zeros([0, 3]).product(b).shape == [0, 2])
    #expect(
      Tensor.zeros([2, 0]).product(.zeros([0, 4])).values == [Float](repeating: 0, count: 8))
  }

  @Test func weightAppliesBothWays() {
    let weight = DenseWeight(randomTensor([5, 3], seed: 1))
    let x = randomTensor([4, 3], seed: 2)
    let dy = randomTensor([4, 5], seed: 3)
    var y = Tensor(repeating: .nan, shape: [4, 5])
    y.modify { y in x.readMatrix { weight.apply(to: $0, bias: nil, into: y, then: nil) } }
    #expect(difference(y, x.product(weight.values.transposedByHand()), relative: 1e-6) == nil)
    var dx = Tensor(repeating: .nan, shape: [4, 3])
    dx.modify { dx in dy.readMatrix { weight.applyTransposed(to: $0, into: dx, beta: 0) } }
    #expect(difference(dx, dy.product(weight.values), relative: 1e-6) == nil)
  }
}

extension Tensor {
  fileprivate func transposedByHand() -> Tensor {
    let (rows, columns, values) = (shape[0], shape[1], self.values)
    return Tensor(
      (0..<rows * columns).map { values[$0 % rows * columns + $0 / rows] }, shape: [columns, rows])
  }
}
