import Tensors

/// A kind of number whose matrices are multiplied on one thread, with float32 sums: what lets a fused
/// operation be written once for both precisions.
protocol ProductNumber: LaneElement, BitwiseCopyable {
  associatedtype Right: RightFactor where Right.Number == Self

  static func store(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Self>, count: Int)
  static var zero: Self { get }

  /// A factor in this precision.
  static func factor(_ x: ProductFactor) -> ProductFactor
  /// Reads a factor of this precision.
  static func read(_ x: ProductFactor, _ body: (UnsafePointer<Self>) -> Void)
  /// A matrix that the closure writes.
  static func matrix(
    rows: Int, columns: Int, _ write: (UnsafeMutablePointer<Self>) -> Void
  ) -> ProductFactor
  static func result(_ pointer: UnsafeMutablePointer<Self>) -> ProductResult

  /// How many places a row of a left factor has, where a sum goes over `count`; those beyond are zero.
  static func innerCount(_ count: Int) -> Int

  /// C = Aᵀ · B + keeping · C.
  /// - Parameters:
  ///   - a: `[inner, rows]`.
  ///   - b: `[inner, columns]`.
  static func multiplyTransposed(
    _ a: ElementView<Self>, _ b: ElementView<Self>, into c: UnsafeMutablePointer<Float>,
    cStride: Int, keeping: Float)
}

/// A product's right factor, made ready once for several left ones.
protocol RightFactor {
  associatedtype Number

  /// - Parameter b: `[inner, columns]`.
  init(rowsOf b: ElementView<Number>)
  /// - Parameter b: The factor's transpose, `[columns, inner]`.
  init(columnsOf b: ElementView<Number>)

  /// C = A · B.
  /// - Parameter a: `[rows, innerCount(inner)]`.
  func multiply(_ a: ElementView<Number>, into c: ProductResult, cStride: Int)
}

extension Float: ProductNumber {
  static func store(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, count: Int) {
    y.update(from: x, count: count)
  }

  static func factor(_ x: ProductFactor) -> ProductFactor { .float32(x.tensor([x.count])) }

  static func read(_ x: ProductFactor, _ body: (UnsafePointer<Float>) -> Void) {
    x.tensor([x.count]).read(body)
  }

  static func matrix(
    rows: Int, columns: Int, _ write: (UnsafeMutablePointer<Float>) -> Void
  ) -> ProductFactor {
    .float32(Tensor(shape: [rows, columns], initializingWith: write))
  }

  static func result(_ pointer: UnsafeMutablePointer<Float>) -> ProductResult { .float32(pointer) }

  static func innerCount(_ count: Int) -> Int { count }

  static func multiplyTransposed(
    _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Float>, cStride: Int,
    keeping: Float
  ) {
    singleThreadProduct(a, b, .firstTransposed, into: c, cStride: cStride, keeping: keeping)
  }

  /// A matrix where it lies.
  struct Right: RightFactor {
    private let view: MatrixView
    private let form: ProductForm

    init(rowsOf b: MatrixView) { (view, form) = (b, .plain) }
    init(columnsOf b: MatrixView) { (view, form) = (b, .secondTransposed) }

    func multiply(_ a: MatrixView, into c: ProductResult, cStride: Int) {
      guard case .float32(let c) = c else {
        preconditionFailure("products of float32 numbers are float32")
      }
      singleThreadProduct(a, view, form, into: c, cStride: cStride)
    }
  }
}

extension BFloat16: ProductNumber {
  static func store(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<BFloat16>, count: Int) {
    roundVectors(x, into: y, count: count)
  }
  static var zero: BFloat16 { BFloat16(0) }

  static func factor(_ x: ProductFactor) -> ProductFactor { .bfloat16(x.rounded) }

  static func read(_ x: ProductFactor, _ body: (UnsafePointer<BFloat16>) -> Void) {
    x.rounded.read { body($0.pointer) }
  }

  static func matrix(
    rows: Int, columns: Int, _ write: (UnsafeMutablePointer<BFloat16>) -> Void
  ) -> ProductFactor {
    .bfloat16(BFloat16Matrix(rows: rows, columns: columns, initializingWith: write))
  }

  static func result(_ pointer: UnsafeMutablePointer<BFloat16>) -> ProductResult {
    .bfloat16(pointer)
  }

  /// Tiles read pairs.
  static func innerCount(_ count: Int) -> Int { (count + 1) / 2 * 2 }

  static func multiplyTransposed(
    _ a: ElementView<BFloat16>, _ b: ElementView<BFloat16>, into c: UnsafeMutablePointer<Float>,
    cStride: Int, keeping: Float
  ) {
    let count = TiledProduct.copyCount(rows: a.columns, inner: a.rows, columns: b.columns)
    let memory = Tensor(shape: [count]) { _ in }
    TiledProduct.multiplyTransposed(
      a, b, into: c, cStride: cStride, keeping: keeping, memory: memory.writable)
    withExtendedLifetime(memory) {}
  }

  /// A copy in the order in which tiles read it.
  struct Right: RightFactor {
    private let memory: Tensor
    private let panels: PairPanels

    private init(columns: Int, inner: Int) {
      memory = Tensor(shape: [PairPanels.count(columns: columns, inner: inner)]) { _ in }
      panels = PairPanels(memory.writable, columns: columns, inner: inner)
    }

    init(rowsOf b: ElementView<BFloat16>) {
      self.init(columns: b.columns, inner: b.rows)
      panels.write(rowsOf: b)
    }

    init(columnsOf b: ElementView<BFloat16>) {
      self.init(columns: b.rows, inner: b.columns)
      panels.write(columnsOf: b)
    }

    func multiply(_ a: ElementView<BFloat16>, into c: ProductResult, cStride: Int) {
      TiledProduct.multiply(PairRows(a), panels, into: c, cStride: cStride)
      withExtendedLifetime(memory) {}
    }
  }
}
