/// A kind of number that fused operations multiply on the calling thread, with float32 sums: they are
/// written once for all kinds.
public protocol FusedNumber: LaneElement, BitwiseCopyable {
  static var precision: ProductPrecision { get }

  /// Rows of a left operand that are best multiplied at a time.
  static var tileRows: Int { get }

  /// How many numbers a row of a left operand has, where a sum goes over `count`; those beyond are zero.
  static func innerCount(_ count: Int) -> Int

  /// How many float32 values' memory a packed operand takes.
  static func packedCount(inner: Int, columns: Int) -> Int
  static func pack(_ b: PackedOperand<Self>)

  /// C = A · B, each row of the product times its scale.
  /// - Parameters:
  ///   - a: `[rows, innerCount(inner)]`.
  ///   - fillsLines: Whether C's rows have room for whole vectors, all of which may be written.
  ///   - rowScales: `[rows]`.
  static func multiply(
    _ a: ElementView<Self>, _ b: PackedOperand<Self>, into c: ProductResult, cStride: Int,
    fillsLines: Bool, rowScales: UnsafePointer<Float>?)

  /// How many float32 values' memory `multiplyTransposed` takes for copies.
  static func copyCount(rows: Int, inner: Int, columns: Int) -> Int

  /// C = Aᵀ · B + beta · C.
  /// - Parameters:
  ///   - a: `[inner, rows]`.
  ///   - b: `[inner, columns]`.
  static func multiplyTransposed(
    _ a: ElementView<Self>, _ b: ElementView<Self>, into c: UnsafeMutablePointer<Float>,
    cStride: Int, beta: Float, copies: UnsafeMutablePointer<Float>)
}

/// The right operand of several products, packed once for all of them.
public struct PackedOperand<Number: FusedNumber> {
  fileprivate let factor: RightFactor<Number>
  /// Whoever made the memory keeps it alive.
  fileprivate let memory: UnsafeMutablePointer<Float>

  /// - Parameters:
  ///   - b: `[inner, columns]`, or where it is transposed `[columns, inner]`.
  ///   - memory: Room for `packedCount` values.
  public init(
    _ b: ElementView<Number>, isTransposed: Bool, in memory: UnsafeMutablePointer<Float>
  ) {
    factor = RightFactor(view: b, isTransposed: isTransposed)
    self.memory = memory
    Number.pack(self)
  }
}

extension Float: FusedNumber {
  public static var tileRows: Int { 64 }

  public static func innerCount(_ count: Int) -> Int { count }

  /// BLAS packs operands itself.
  public static func packedCount(inner: Int, columns: Int) -> Int { 0 }
  public static func pack(_ b: PackedOperand<Float>) {}

  public static func multiply(
    _ a: MatrixView, _ b: PackedOperand<Float>, into c: ProductResult, cStride: Int,
    fillsLines: Bool, rowScales: UnsafePointer<Float>?
  ) {
    guard case .float32(let c) = c else {
      preconditionFailure("products of float32 numbers are float32")
    }
    singleThreadProduct(
      a, b.factor.view, b.factor.isTransposed ? .secondTransposed : .plain, into: c,
      cStride: cStride)
    guard let rowScales else { return }
    for row in 0..<a.rows {
      let (line, scale) = (c + row * cStride, rowScales[row])
      mapVectors(line, into: line, count: b.factor.columns) { $0 * scale }
    }
  }

  public static func copyCount(rows: Int, inner: Int, columns: Int) -> Int { 0 }

  public static func multiplyTransposed(
    _ a: MatrixView, _ b: MatrixView, into c: UnsafeMutablePointer<Float>, cStride: Int,
    beta: Float, copies: UnsafeMutablePointer<Float>
  ) {
    singleThreadProduct(a, b, .firstTransposed, into: c, cStride: cStride, beta: beta)
  }
}

extension BFloat16: FusedNumber {
  /// A multiple of the rows of a product's tile.
  public static var tileRows: Int { 48 }

  /// Tiles read pairs.
  public static func innerCount(_ count: Int) -> Int { (count + 1) / 2 * 2 }

  public static func packedCount(inner: Int, columns: Int) -> Int {
    BFloat16Panels.count(columns: columns, inner: inner)
  }

  public static func pack(_ b: PackedOperand<BFloat16>) {
    BFloat16Panels(b.memory, of: b.factor).write(b.factor)
  }

  public static func multiply(
    _ a: ElementView<BFloat16>, _ b: PackedOperand<BFloat16>, into c: ProductResult, cStride: Int,
    fillsLines: Bool, rowScales: UnsafePointer<Float>?
  ) {
    let panels = BFloat16Panels(b.memory, of: b.factor)
    TiledProduct.multiply(
      PairRows(a), fillsLines ? panels.padded : panels, into: c, cStride: cStride,
      rowScales: rowScales)
  }

  public static func copyCount(rows: Int, inner: Int, columns: Int) -> Int {
    TiledProduct.copyCount(rows: rows, inner: inner, columns: columns)
  }

  public static func multiplyTransposed(
    _ a: ElementView<BFloat16>, _ b: ElementView<BFloat16>, into c: UnsafeMutablePointer<Float>,
    cStride: Int, beta: Float, copies: UnsafeMutablePointer<Float>
  ) {
    TiledProduct.multiplyTransposed(
      a, b, into: c, cStride: cStride, beta: beta, memory: copies)
  }
}

extension Operand {
  /// The same values as numbers of one kind.
  public func converted<Number: FusedNumber>(to number: Number.Type) -> Operand {
    Number.precision == .bfloat16 ? .bfloat16(rounded) : .float32(tensor([count]))
  }

  /// Calls the closure with the numbers of several factors, as numbers of one kind.
  public static func withNumbers<Number: FusedNumber>(
    of factors: [Operand], as number: Number.Type, _ body: ([UnsafePointer<Number>]) -> Void
  ) {
    guard let first = factors.first else { return body([]) }
    func read(_ pointer: UnsafeRawPointer) {
      let pointer = pointer.assumingMemoryBound(to: Number.self)
      Operand.withNumbers(of: Array(factors.dropFirst()), as: number) { body([pointer] + $0) }
    }
    switch first.converted(to: number) {
    case .float32(let values): values.read { read($0) }
    case .bfloat16(let matrix): matrix.read { read($0.pointer) }
    }
  }

  /// Matrices of the given rows and columns whose numbers the closure writes.
  public static func matrices<Number: FusedNumber>(
    of number: Number.Type, _ sizes: [(rows: Int, columns: Int)],
    _ write: ([UnsafeMutablePointer<Number>]) -> Void
  ) -> [Operand] {
    guard let size = sizes.first else {
      write([])
      return []
    }
    var others: [Operand] = []
    let first = made(in: Number.precision, shape: [size.rows, size.columns]) { result in
      let pointer = result.pointer.assumingMemoryBound(to: Number.self)
      others = matrices(of: number, Array(sizes.dropFirst())) { write([pointer] + $0) }
    }
    return [first] + others
  }
}

extension ProductResult {
  public init<Number: FusedNumber>(_ pointer: UnsafeMutablePointer<Number>) {
    let raw = UnsafeMutableRawPointer(pointer)
    self =
      Number.precision == .bfloat16
      ? .bfloat16(raw.assumingMemoryBound(to: BFloat16.self))
      : .float32(raw.assumingMemoryBound(to: Float.self))
  }
}
