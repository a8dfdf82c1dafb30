import COpenBLAS

/// A matrix in memory: `rows × columns`, row by row, `stride` values from one row to the next.
public struct ElementView<Element> {
  public let pointer: UnsafePointer<Element>
  public let rows: Int
  public let columns: Int
  public let stride: Int

  @inlinable @inline(__always)
  public init(_ pointer: UnsafePointer<Element>, rows: Int, columns: Int, stride: Int? = nil) {
    self.pointer = pointer
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }

  /// Some of its rows and columns.
  func part(rows: Range<Int>, columns: Range<Int>) -> ElementView {
    ElementView(
      pointer + (rows.lowerBound * stride + columns.lowerBound), rows: rows.count,
      columns: columns.count, stride: stride)
  }
}

public typealias MatrixView = ElementView<Float>

/// Which of a product's two factors is read transposed.
public enum TransposeMode: Sendable {
  /// A · B
  case plain
  /// A · Bᵀ
  case secondTransposed
  /// Aᵀ · B
  case firstTransposed

  /// The product's rows, the length of its sums, and its columns.
  /// - Precondition: The two factors fit.
  @inline(__always)
  func sizes<Element>(
    _ a: ElementView<Element>, _ b: ElementView<Element>
  ) -> (rows: Int, inner: Int, columns: Int) {
    let rows = self == .firstTransposed ? a.columns : a.rows
    let inner = self == .firstTransposed ? a.rows : a.columns
    let columns = self == .secondTransposed ? b.rows : b.columns
    precondition(
      inner == (self == .secondTransposed ? b.columns : b.rows),
      "a product of [\(a.rows), \(a.columns)] and [\(b.rows), \(b.columns)] (\(self)) does not fit")
    return (rows, inner, columns)
  }

  /// What some rows of the product need of A, for some of their sums' places.
  @inline(__always)
  func left<Element>(
    _ a: ElementView<Element>, rows: Range<Int>, inner: Range<Int>
  ) -> ElementView<Element> {
    self == .firstTransposed
      ? a.part(rows: inner, columns: rows) : a.part(rows: rows, columns: inner)
  }

  /// What some columns of the product need of B, for some of their sums' places.
  @inline(__always)
  func right<Element>(
    _ b: ElementView<Element>, inner: Range<Int>, columns: Range<Int>
  ) -> ElementView<Element> {
    self == .secondTransposed
      ? b.part(rows: columns, columns: inner) : b.part(rows: inner, columns: columns)
  }
}

/// A product's B: `[inner, columns]`, or where it is transposed `[columns, inner]`.
struct RightFactor<Element> {
  let view: ElementView<Element>
  let isTransposed: Bool

  var columns: Int { isTransposed ? view.rows : view.columns }
  var inner: Int { isTransposed ? view.columns : view.rows }
}

/// Where a product's numbers go, and in which precision.
public enum ProductResult {
  case float32(UnsafeMutablePointer<Float>)
  case bfloat16(UnsafeMutablePointer<BFloat16>)

  var precision: ProductPrecision {
    switch self {
    case .float32: .float32
    case .bfloat16: .bfloat16
    }
  }

  var pointer: UnsafeMutableRawPointer {
    switch self {
    case .float32(let pointer): UnsafeMutableRawPointer(pointer)
    case .bfloat16(let pointer): UnsafeMutableRawPointer(pointer)
    }
  }

  /// The bytes of one number.
  @inline(__always)
  var elementBytes: Int {
    switch self {
    case .float32: 4
    case .bfloat16: 2
    }
  }

  /// Writes numbers, rounded where the result is.
  public func write(_ x: UnsafePointer<Float>, count: Int) {
    switch self {
    case .float32(let pointer): pointer.update(from: x, count: count)
    case .bfloat16(let pointer): roundVectors(x, into: pointer, count: count)
    }
  }

  /// So many numbers further on.
  public func advanced(by count: Int) -> ProductResult {
    switch self {
    case .float32(let pointer): .float32(pointer + count)
    case .bfloat16(let pointer): .bfloat16(pointer + count)
    }
  }
}

/// What becomes of a product: C = scale · A·B + beta · C, or A·B + bias.
struct Epilogue {
  /// 0 overwrites C (it may be uninitialised), 1 adds to it.
  var beta: Float = 0
  var scale: Float = 1
  /// A number for each column, added to every row; only with `beta` 0 and `scale` 1.
  var bias: UnsafePointer<Float>?

  /// Whether oneDNN can do it.
  var isSimple: Bool { scale == 1 && (beta == 0 || beta == 1) }

  /// The part for columns from `first` on.
  func columns(from first: Int) -> Epilogue {
    Epilogue(beta: beta, scale: scale, bias: bias.map { $0 + first })
  }
}

/// A product of two matrices and where it goes: C = scale · A·B + beta · C, or A·B + bias.
struct MatrixProduct<Element> {
  let a: ElementView<Element>
  let b: ElementView<Element>
  let form: TransposeMode
  let rows: Int
  /// The length of the sums.
  let inner: Int
  let columns: Int
  /// `[rows, columns]`, `cStride` numbers from row to row.
  let c: ProductResult
  let cStride: Int
  let sum: Epilogue

  /// - Precondition: The two factors fit.
  @inline(__always)
  init(
    _ a: ElementView<Element>, _ b: ElementView<Element>, _ form: TransposeMode,
    into c: ProductResult, cStride: Int, _ sum: Epilogue = Epilogue()
  ) {
    (self.a, self.b, self.form) = (a, b, form)
    (rows, inner, columns) = form.sizes(a, b)
    (self.c, self.cStride, self.sum) = (c, cStride, sum)
  }

  /// A block of C.
  @inline(__always)
  func block(rows: Range<Int>, columns: Range<Int>) -> MatrixProduct {
    MatrixProduct(
      form.left(a, rows: rows, inner: 0..<inner),
      form.right(b, inner: 0..<inner, columns: columns), form,
      into: c.advanced(by: rows.lowerBound * cStride + columns.lowerBound), cStride: cStride,
      sum.columns(from: columns.lowerBound))
  }
}

/// A kind of number that matrices are multiplied in; sums are float32.
protocol ProductElement {
  static var precision: ProductPrecision { get }
  /// A product on the calling thread alone.
  static func multiply(_ product: MatrixProduct<Self>)
  /// A product over all threads by other means than blocks of C.
  /// - Returns: Whether there are such means.
  static func multiplyWhole(_ product: MatrixProduct<Self>, then map: FusedMap?) -> Bool
}

extension ProductElement {
  /// The product by oneDNN, in parts of sizes that come again: how many rows there are changes from
  /// step to step with the texts, and code for a new size takes as long to make as a small product.
  static func multiplyByOneDNN(_ product: MatrixProduct<Self>) {
    let (a, b, c, form, sum) = (product.a, product.b, product.c, product.form, product.sum)
    let parts = OneDNN.parts(of: a.rows)
    if form != .firstTransposed {
      for rows in parts {
        multiplyAtOnce(product.block(rows: rows, columns: 0..<product.columns))
      }
    } else if case .float32 = c, sum.bias == nil {
      // The rows are what is summed over.
      for inner in parts {
        multiplyAtOnce(
          MatrixProduct(
            form.left(a, rows: 0..<product.rows, inner: inner),
            form.right(b, inner: inner, columns: 0..<product.columns), form, into: c,
            cStride: product.cStride, Epilogue(beta: inner.lowerBound == 0 ? sum.beta : 1)))
      }
    } else {
      multiplyAtOnce(product)
    }
  }

  private static func multiplyAtOnce(_ product: MatrixProduct<Self>) {
    let (a, b, c, sum) = (product.a, product.b, product.c, product.sum)
    let shape = OneDNN.Shape(
      rows: product.rows, inner: product.inner, columns: product.columns,
      a: .init(stride: a.stride, isTransposed: product.form == .firstTransposed),
      b: .init(stride: b.stride, isTransposed: product.form == .secondTransposed),
      cStride: product.cStride, adds: sum.beta == 1, hasBias: sum.bias != nil,
      precision: precision, result: c.precision)
    OneDNN.product(shape).run(a.pointer, b.pointer, bias: sum.bias, into: c.pointer)
  }
}

extension MatrixProduct where Element: ProductElement {
  /// On the calling thread alone; also of matrices without columns.
  @inline(__always)
  func multiplyAlone() {
    if rows == 0 || columns == 0 { return }
    guard inner > 0 else { return clear() }
    ProductCounter.count(
      rows: rows, inner: inner, columns: columns, precision: Element.precision,
      factorBytes: (rows + columns) * inner * MemoryLayout<Element>.stride
    ) { Element.multiply(self) }
  }

  /// What a product without inner places leaves in C.
  private func clear() {
    for row in 0..<rows {
      for column in 0..<columns {
        let added = sum.bias?[column] ?? 0
        switch c.advanced(by: row * cStride + column) {
        case .float32(let place):
          place.pointee = added + (sum.beta == 0 ? 0 : sum.beta * place.pointee)
        case .bfloat16(let place): place.pointee = BFloat16(added)
        }
      }
    }
  }

  /// Over all threads, cut into blocks of C.
  /// - Precondition: With a map, C's rows lie without gaps.
  func multiply(then map: FusedMap? = nil) {
    precondition(map == nil || cStride == columns, "a map of a part of a matrix")
    if Element.multiplyWhole(self, then: map) { return }
    let grid = ProductGrid(rows: rows, columns: columns, inner: inner)
    Parallel.forEach(grid.count) { index in
      let (rowRange, columnRange) = grid.block(index)
      if rowRange.isEmpty || columnRange.isEmpty { return }
      block(rows: rowRange, columns: columnRange).multiplyAlone()
      map?.advanced(by: columnRange.lowerBound).apply(
        to: c.advanced(by: columnRange.lowerBound), rows: rowRange, columns: columnRange.count,
        stride: columns)
    }
  }
}

/// C = scale · (product of A and B) + beta · C, on the calling thread alone.
///
/// - Parameters:
///   - c: `[rows of the product, columns of the product]`, `cStride` values from row to row.
///   - beta: 0 overwrites C (it may be uninitialised), 1 adds to it.
public func singleThreadProduct(
  _ a: MatrixView, _ b: MatrixView, _ form: TransposeMode, into c: UnsafeMutablePointer<Float>,
  cStride: Int, scale: Float = 1, beta: Float = 0
) {
  MatrixProduct(
    a, b, form, into: .float32(c), cStride: cStride, Epilogue(beta: beta, scale: scale)
  ).multiplyAlone()
}

/// C = scale · (product of A and B) + beta · C, cut into blocks of C over all threads.
public func parallelProduct(
  _ a: MatrixView, _ b: MatrixView, _ form: TransposeMode, into c: UnsafeMutablePointer<Float>,
  cStride: Int, scale: Float = 1, beta: Float = 0
) {
  MatrixProduct(
    a, b, form, into: .float32(c), cStride: cStride, Epilogue(beta: beta, scale: scale)
  ).multiply()
}

extension Tensor {
  /// The receiver's rows as a matrix, all axes but the last taken as one.
  @inline(__always)
  public func readMatrix<Result>(_ body: (MatrixView) throws -> Result) rethrows -> Result {
    try read { try body(MatrixView($0, rows: rowCount, columns: width)) }
  }

  /// The product of two matrices `[rows, inner]` and `[inner, columns]`, either read transposed.
  /// - Returns: `[rows, columns]`.
  public func product(_ other: Tensor, _ form: TransposeMode = .plain) -> Tensor {
    readMatrix { a in
      other.readMatrix { b in
        let (rows, _, columns) = form.sizes(a, b)
        return Tensor(shape: [rows, columns]) { c in
          parallelProduct(a, b, form, into: c, cStride: columns)
        }
      }
    }
  }
}

/// OpenBLAS's own view of itself.
public enum BLAS {
  /// The kernel family that OpenBLAS chose for this processor, such as `Cooperlake`.
  public static var kernelName: String {
    String(cString: openblas_get_corename())
  }

  public static var configuration: String {
    String(cString: openblas_get_config())
  }

  /// Leaves the threads to `Parallel`; call it once before the first product.
  public static func useOneThread() {
    openblas_set_num_threads(1)
  }

  /// The addresses that a product takes while it runs, and keeps for the next: OpenBLAS's `BUFFER_SIZE`
  /// on processors with AVX2 and above.
  public static let workSpace = 128 << 20

  /// Maps the work spaces of so many products at once, before others take the addresses.
  public static func reserveWorkSpaces(_ count: Int) {
    let spaces = (0..<count).map { _ in blas_memory_alloc(0) }
    for space in spaces { blas_memory_free(space) }
  }
}
