import CPlatform

/// Products of bfloat16 matrices by tiles that stay in registers, with instructions that add the
/// products of pairs (AVX512-BF16).
///
/// B is copied into panels of pairs, and so is A where it is read transposed; both are then read in
/// the order in which they lie. A frozen weight can be copied once for all products (`PackedWeight`).
public enum TiledProduct {
  /// Whether this program was built with those instructions and the processor has them.
  public static let isNative = cplatform_has_pair_products() == 1 && OneDNN.multipliesBFloat16

  /// Whether tiles are faster than oneDNN's products of large matrices: not where oneDNN has the matrix
  /// unit AMX.
  public static let isPreferred = isNative && !OneDNN.hasMatrixUnit

  /// Whether tiles are faster than oneDNN's products: not with few rows, for which copying B would
  /// weigh.
  static func isFastest(rows: Int, columns: Int) -> Bool {
    isPreferred && rows >= leastRows && columns >= 16
  }

  private static let leastRows = 32

  /// The longest sum of a weight that is kept in panels.
  static let mostPackedInputs = innerBlock(.secondTransposed)

  /// The longest part of a sum, so that a panel fits the second-level cache.
  private static func innerBlock(_ form: TransposeMode) -> Int {
    form == .firstTransposed ? 2048 : 6144
  }

  /// So many numbers of B are copied at a time.
  private static let mostPacked = 8 << 20

  /// Rows of a task; a multiple of the left factor's panels.
  private static let taskRows = 192

  /// The product over all threads.
  static func multiply(_ product: MatrixProduct<BFloat16>, then map: FusedMap? = nil) {
    let (a, b, form) = (product.a, product.b, product.form)
    let (inner, columns) = (product.inner, product.columns)
    let innerBlock = innerBlock(form)
    if case .bfloat16(let target) = product.c, inner > innerBlock {
      // Sums are float32 until they are whole.
      let whole = Tensor(shape: [product.rows, columns]) {
        multiply(MatrixProduct(a, b, form, into: .float32($0), cStride: columns, product.sum))
      }
      return round(whole, into: target, stride: product.cStride, then: map)
    }
    let columnBlock = max(
      BFloat16Panels.width,
      mostPacked / min(inner, innerBlock) / BFloat16Panels.width * BFloat16Panels.width)
    // Blocks of one length: a short last one would cost as many passes over C as a long one.
    let blocks = (inner + innerBlock - 1) / innerBlock
    let blockLength = (inner + 16 * blocks - 1) / (16 * blocks) * 16
    for start in stride(from: 0, to: inner, by: blockLength) {
      let range = start..<min(inner, start + blockLength)
      let left = PackedLeft(a, form, inner: range)
      for first in stride(from: 0, to: columns, by: columnBlock) {
        let part = first..<min(columns, first + columnBlock)
        var sum = product.sum.columns(from: first)
        if start > 0 { sum = Epilogue(beta: 1, scale: sum.scale) }
        multiply(
          left,
          RightFactor(
            view: form.right(b, inner: range, columns: part),
            isTransposed: form == .secondTransposed),
          PairTarget(
            result: product.c.advanced(by: first), stride: product.cStride, columns: part.count,
            sum: sum),
          then: range.upperBound == inner ? map?.advanced(by: first) : nil)
      }
    }
  }

  private static func round(
    _ whole: Tensor, into target: UnsafeMutablePointer<BFloat16>, stride: Int,
    then map: FusedMap?
  ) {
    let (rows, columns) = (whole.rowCount, whole.width)
    whole.read { whole in
      Parallel.forEachRun(of: rows, grain: Parallel.rowGrain(width: columns)) { run in
        for row in run {
          roundVectors(whole + row * columns, into: target + row * stride, count: columns)
        }
        map?.apply(to: .bfloat16(target), rows: run, columns: columns, stride: stride)
      }
    }
  }

  private static func multiply(
    _ left: PackedLeft, _ right: RightFactor<BFloat16>, _ target: PairTarget, then map: FusedMap?
  ) {
    let count = BFloat16Panels.count(columns: right.columns, inner: right.inner)
    let memory = Tensor(shape: [count + left.copyCount]) { _ in }
    let b = BFloat16Panels(memory.writable, of: right)
    let copy = memory.writable + count
    Parallel.forEach(b.count + left.partCount) { index in
      if index < b.count {
        b.write(index, of: right)
      } else {
        left.write(index - b.count, into: copy)
      }
    }
    multiply(left, copy: copy, b, target, then: map)
    withExtendedLifetime(memory) {}
  }

  /// C = A · B + bias over all threads, B being copied already.
  /// - Parameters:
  ///   - b: For sums of at most `mostPackedInputs`.
  ///   - c: `[A's rows, B's columns]`, without gaps.
  static func multiply(
    _ a: ElementView<BFloat16>, _ b: BFloat16Panels, bias: UnsafePointer<Float>?,
    into c: ProductResult, then map: FusedMap?
  ) {
    let left = PackedLeft(a, .secondTransposed, inner: 0..<a.columns)
    let memory = Tensor(shape: [left.copyCount]) { _ in }
    Parallel.forEach(left.partCount) { left.write($0, into: memory.writable) }
    multiply(
      left, copy: memory.writable, b,
      PairTarget(
        result: c, stride: b.columns, columns: b.columns, sum: Epilogue(bias: bias)),
      then: map)
    withExtendedLifetime(memory) {}
  }

  private static func multiply(
    _ left: PackedLeft, copy: UnsafeMutablePointer<Float>, _ b: BFloat16Panels,
    _ target: PairTarget,
    then map: FusedMap?
  ) {
    let tasks = TileSchedule(runs: (left.rows + taskRows - 1) / taskRows, panels: b.count)
    Parallel.forEach(tasks.count) { task in
      let (run, panel) = tasks[task]
      let rows = run * taskRows..<min(left.rows, (run + 1) * taskRows)
      let first = panel * BFloat16Panels.width
      let columns = min(BFloat16Panels.width, b.columns - first)
      let inner = 2 * b.pairs
      ProductCounter.count(
        rows: rows.count, inner: inner, columns: columns, precision: .bfloat16,
        factorBytes: 2 * inner * (columns + rows.count)
      ) {
        left.forEachPiece(of: rows, copy: copy) { row, rows in
          multiplyTiles(
            rows, panel: b.panel(panel),
            into: PairTarget(
              result: target.result.advanced(by: row * target.stride + first),
              stride: target.stride, columns: columns, sum: target.sum.columns(from: first)))
        }
      }
      map?.advanced(by: first).apply(
        to: target.result.advanced(by: first), rows: rows, columns: columns, stride: target.stride)
    }
  }

  /// C = A · B + beta · C, each row of the product times its scale, on the calling thread.
  /// - Parameters:
  ///   - c: `[A's rows, B's columns]`, `cStride` numbers from row to row.
  ///   - rowScales: `[A's rows]`.
  public static func multiply(
    _ a: PairRows, _ b: BFloat16Panels, into c: ProductResult, cStride: Int, beta: Float = 0,
    rowScales: UnsafePointer<Float>? = nil
  ) {
    precondition(a.groups == b.pairs, "sums of \(a.groups) and of \(b.pairs) pairs")
    ProductCounter.count(
      rows: a.rows, inner: 2 * a.groups, columns: b.columns, precision: .bfloat16,
      factorBytes: 4 * a.groups * (a.rows + b.columns)
    ) {
      for panel in 0..<b.count {
        let first = panel * BFloat16Panels.width
        multiplyTiles(
          a, panel: b.panel(panel),
          into: PairTarget(
            result: c.advanced(by: first), stride: cStride,
            columns: min(BFloat16Panels.width, b.columns - first),
            sum: Epilogue(beta: beta), rowScales: rowScales))
      }
    }
  }

  /// C = Aᵀ · B + beta · C on the calling thread, A and B being copied.
  /// - Parameters:
  ///   - a: `[inner, rows]`.
  ///   - b: `[inner, columns]`.
  ///   - memory: Room for `copyCount` values.
  public static func multiplyTransposed(
    _ a: ElementView<BFloat16>, _ b: ElementView<BFloat16>, into c: UnsafeMutablePointer<Float>,
    cStride: Int, beta: Float, memory: UnsafeMutablePointer<Float>
  ) {
    let left = PackedLeft(a, .firstTransposed, inner: 0..<a.rows)
    let factor = RightFactor(view: b, isTransposed: false)
    let right = BFloat16Panels(memory + left.copyCount, of: factor)
    for index in 0..<left.partCount { left.write(index, into: memory) }
    right.write(factor)
    left.forEachPiece(of: 0..<left.rows, copy: memory) { row, rows in
      multiply(
        rows, right, into: .float32(c + row * cStride), cStride: cStride, beta: beta)
    }
  }

  /// The room that `multiplyTransposed` needs, in float32 values.
  public static func copyCount(rows: Int, inner: Int, columns: Int) -> Int {
    PackedLeft.copyCount(rows: rows, inner: inner)
      + BFloat16Panels.count(columns: columns, inner: inner)
  }
}
