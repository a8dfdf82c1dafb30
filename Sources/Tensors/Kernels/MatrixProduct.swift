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
public enum ProductForm: Sendable {
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
}

/// A kind of number that matrices are multiplied in; sums are float32.
protocol ProductElement {
  static var precision: ProductPrecision { get }
  /// C = scale · (product of A and B) + keeping · C, on the calling thread alone.
  static func multiply(
    _ a: ElementView<Self>, _ b: ElementView<Self>, _ form: ProductForm,
    into c: UnsafeMutablePointer<Float>, cStride: Int, scale: Float, keeping: Float)
}

extension ProductElement {
  /// The product by oneDNN; it has no scale, and C is overwritten or added to.
  static func multiplyByOneDNN(
    _ a: ElementView<Self>, _ b: ElementView<Self>, _ form: ProductForm,
    into c: UnsafeMutablePointer<Float>, cStride: Int, adds: Bool
  ) {
    let (rows, inner, columns) = form.sizes(a, b)
    OneDNN.product(
      .init(
        rows: rows, inner: inner, columns: columns,
        a: form == .firstTransposed
          ? .init(row: 1, column: a.stride) : .init(row: a.stride, column: 1),
        b: form == .secondTransposed
          ? .init(row: 1, column: b.stride) : .init(row: b.stride, column: 1),
        cStride: cStride, adds: adds, precision: precision)
    ).run(a.pointer, b.pointer, into: c)
  }
}

extension Float: ProductElement {
  static var precision: ProductPrecision { .float32 }

  /// Products of at least so many multiplications go to oneDNN where that is faster: for smaller ones
  /// its preparations weigh more than its speed.
  private static let leastForOneDNN = 128 * 128 * 128

  static func multiply(
    _ a: MatrixView, _ b: MatrixView, _ form: ProductForm, into c: UnsafeMutablePointer<Float>,
    cStride: Int, scale: Float, keeping: Float
  ) {
    let (rows, inner, columns) = form.sizes(a, b)
    if rows * inner * columns >= leastForOneDNN, scale == 1, keeping == 0 || keeping == 1,
      OneDNN.isFastInFloat32
    {
      multiplyByOneDNN(a, b, form, into: c, cStride: cStride, adds: keeping == 1)
      return
    }
    cblas_sgemm(
      CblasRowMajor, form == .firstTransposed ? CblasTrans : CblasNoTrans,
      form == .secondTransposed ? CblasTrans : CblasNoTrans, blasint(rows), blasint(columns),
      blasint(inner), scale, a.pointer, blasint(a.stride), b.pointer, blasint(b.stride), keeping,
      c, blasint(cStride))
  }
}

/// C = scale · (product of A and B) + keeping · C, on the calling thread alone.
///
/// - Parameters:
///   - c: `[rows of the product, columns of the product]`, `cStride` values from row to row.
///   - keeping: 0 overwrites C (it may be uninitialised), 1 adds to it.
public func singleThreadProduct(
  _ a: MatrixView, _ b: MatrixView, _ form: ProductForm, into c: UnsafeMutablePointer<Float>,
  cStride: Int, scale: Float = 1, keeping: Float = 0
) {
  blockProduct(a, b, form, into: c, cStride: cStride, scale: scale, keeping: keeping)
}

/// C = scale · (product of A and B) + keeping · C, cut into blocks of C over all threads.
public func parallelProduct(
  _ a: MatrixView, _ b: MatrixView, _ form: ProductForm, into c: UnsafeMutablePointer<Float>,
  cStride: Int, scale: Float = 1, keeping: Float = 0
) {
  sharedProduct(a, b, form, into: c, cStride: cStride, scale: scale, keeping: keeping)
}

/// A product of numbers of any kind on the calling thread; also of matrices without columns.
@inline(__always)
private func blockProduct<Element: ProductElement>(
  _ a: ElementView<Element>, _ b: ElementView<Element>, _ form: ProductForm,
  into c: UnsafeMutablePointer<Float>, cStride: Int, scale: Float, keeping: Float
) {
  let (rows, inner, columns) = form.sizes(a, b)
  if rows == 0 || columns == 0 { return }
  guard inner > 0 else {
    for row in 0..<rows {
      for column in 0..<columns {
        let place = c + row * cStride + column
        place.pointee = keeping == 0 ? 0 : keeping * place.pointee
      }
    }
    return
  }
  ProductCounter.count(
    rows: rows, inner: inner, columns: columns, precision: Element.precision,
    factorBytes: (rows + columns) * inner * MemoryLayout<Element>.stride
  ) {
    Element.multiply(a, b, form, into: c, cStride: cStride, scale: scale, keeping: keeping)
  }
}

/// A product of numbers of any kind, cut into blocks of C over all threads.
func sharedProduct<Element: ProductElement>(
  _ a: ElementView<Element>, _ b: ElementView<Element>, _ form: ProductForm,
  into c: UnsafeMutablePointer<Float>, cStride: Int, scale: Float = 1, keeping: Float = 0
) {
  let (rows, inner, columns) = form.sizes(a, b)
  let grid = ProductGrid(rows: rows, columns: columns, inner: inner)
  Parallel.forEach(grid.count) { index in
    let (rowRange, columnRange) = grid.block(index)
    if rowRange.isEmpty || columnRange.isEmpty { return }
    blockProduct(
      form == .firstTransposed
        ? a.part(rows: 0..<inner, columns: rowRange) : a.part(rows: rowRange, columns: 0..<inner),
      form == .secondTransposed
        ? b.part(rows: columnRange, columns: 0..<inner)
        : b.part(rows: 0..<inner, columns: columnRange),
      form, into: c + (rowRange.lowerBound * cStride + columnRange.lowerBound), cStride: cStride,
      scale: scale, keeping: keeping)
  }
}

/// How a product's result is cut into blocks.
private struct ProductGrid {
  let rowParts: Int
  let columnParts: Int
  let rows: Int
  let columns: Int

  /// Sides below which a block's copying of its factors begins to cost.
  private static let leastBlockSide = 256

  init(rows: Int, columns: Int, inner: Int) {
    self.rows = rows
    self.columns = columns
    let threads = rows * columns * inner < 64 * 64 * 64 ? 1 : Parallel.threadCount
    // The factorisation of the thread count whose blocks are the nearest to squares: each thread
    // reads a part of A and a part of B, and their sum is then the least.
    var best = (rows: threads, columns: 1, cost: Int.max)
    for parts in 1...threads where threads % parts == 0 {
      let cost = rows / parts + columns / (threads / parts)
      if cost < best.cost { best = (parts, threads / parts, cost) }
    }
    // Several blocks a thread, where they stay large, so that a thread which other programs slow
    // down leaves its share to the others.
    var blocks = threads
    while threads > 1, blocks < 4 * threads,
      max(rows / best.rows, columns / best.columns) >= 2 * ProductGrid.leastBlockSide
    {
      if rows / best.rows >= columns / best.columns { best.rows *= 2 } else { best.columns *= 2 }
      blocks *= 2
    }
    rowParts = best.rows
    columnParts = best.columns
  }

  var count: Int { rowParts * columnParts }

  func block(_ index: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    (
      ProductGrid.part(index / columnParts, of: rowParts, in: rows),
      ProductGrid.part(index % columnParts, of: columnParts, in: columns)
    )
  }

  /// Parts begin at multiples of 16, the unit of the kernels.
  private static func part(_ index: Int, of parts: Int, in count: Int) -> Range<Int> {
    let units = (count + 15) / 16
    let begin = min(count, units * index / parts * 16)
    let end = min(count, units * (index + 1) / parts * 16)
    return begin..<end
  }
}

extension Tensor {
  /// The receiver's rows as a matrix, all axes but the last taken as one.
  @inline(__always)
  public func readMatrix<Result>(_ body: (MatrixView) throws -> Result) rethrows -> Result {
    try read { try body(MatrixView($0, rows: rowCount, columns: width)) }
  }

  /// The product of two matrices `[rows, inner]` and `[inner, columns]`, either read transposed.
  /// - Returns: `[rows, columns]`.
  public func product(_ other: Tensor, _ form: ProductForm = .plain) -> Tensor {
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
}
