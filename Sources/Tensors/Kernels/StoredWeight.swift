/// A weight in the form in which it is stored, such as bytes of a mapped file.
///
/// A product expands a panel of some hundred rows at a time into float32, each thread its own: the
/// whole matrix never exists as float32. No sum is shared by threads, so the numbers are the same for any
/// count of them.
public struct StoredWeight: Float32ProductWeight {
  public let format: NumberFormat
  public let outputs: Int
  public let inputs: Int
  /// The first number of the first row; valid while `owner` lives.
  private nonisolated(unsafe) let start: UnsafeRawPointer
  private let rowBytes: Int
  private let owner: any AnyObject & Sendable

  /// The most rows of x for which the weights are multiplied as they are read.
  private static let fewRows = 8

  /// - Parameters:
  ///   - bytes: `[outputs, inputs]`, row by row, at any address.
  ///   - owner: Keeps the bytes, and keeps them unchanged.
  /// - Precondition: The matrix is not empty, `inputs` is a multiple of `format.blockElements`, and
  ///   `bytes` has the bytes of just so many numbers.
  public init(
    bytes: UnsafeRawBufferPointer, format: NumberFormat, outputs: Int, inputs: Int,
    owner: any AnyObject & Sendable
  ) {
    precondition(
      outputs > 0 && inputs > 0, "a weight cannot have the shape [\(outputs), \(inputs)]")
    rowBytes = format.byteCount(of: inputs)
    guard let start = bytes.baseAddress, bytes.count == outputs * rowBytes else {
      preconditionFailure(
        "\(bytes.count) bytes are no \(format.rawValue) weight of shape [\(outputs), \(inputs)]")
    }
    (self.format, self.outputs, self.inputs) = (format, outputs, inputs)
    (self.start, self.owner) = (start, owner)
  }

  /// Some of the outputs, in the same memory.
  public func outputs(_ range: Range<Int>) -> StoredWeight {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= outputs,
      "outputs \(range) of a weight of shape [\(outputs), \(inputs)]")
    return StoredWeight(
      bytes: UnsafeRawBufferPointer(start: row(range.lowerBound), count: range.count * rowBytes),
      format: format, outputs: range.count, inputs: inputs, owner: owner)
  }

  // MARK: Values

  /// The whole weight as float32, `[outputs, inputs]`.
  public func expanded() -> Tensor {
    Tensor(shape: [outputs, inputs]) { target in
      withExtendedLifetime(owner) {
        Parallel.forEachRun(of: outputs, grain: Parallel.rowGrain(width: inputs)) { run in
          format.expand(
            row(run.lowerBound), count: run.count * inputs, into: target + run.lowerBound * inputs)
        }
      }
    }
  }

  /// Some rows as float32, as an embedding table is looked up.
  /// - Parameter indices: Rows, from 0 below `outputs`, in any order.
  /// - Returns: `[indices.count, inputs]`.
  public func rows(_ indices: [Int32]) -> Tensor {
    withExtendedLifetime(owner) {
      gathered(indices) { format.expand(row($0), count: inputs, into: $1) }
    }
  }

  /// The weight where it lies, if that is a bfloat16 matrix at an even address.
  var bfloat16: BFloat16Matrix? {
    guard format == .bfloat16, Int(bitPattern: start) % 2 == 0 else { return nil }
    return BFloat16Matrix(
      bytes: UnsafeRawBufferPointer(start: start, count: outputs * rowBytes), rows: outputs,
      columns: inputs, owner: owner)
  }

  /// Whether the weight can be read where it lies as float32.
  private var liesAsFloats: Bool {
    format == .float32 && Int(bitPattern: start) % MemoryLayout<Float>.alignment == 0
  }

  @inline(__always)
  private func row(_ index: Int) -> UnsafeRawPointer { start + index &* rowBytes }

  // MARK: Products

  public func apply(
    to x: MatrixView, bias: UnsafePointer<Float>?, into y: UnsafeMutablePointer<Float>,
    then map: FusedMap?
  ) {
    precondition(
      x.columns == inputs,
      "x of shape [\(x.rows), \(x.columns)] does not fit a weight of shape [\(outputs), \(inputs)]")
    if let bias {
      Parallel.forEachRun(of: x.rows, grain: Parallel.rowGrain(width: outputs)) { run in
        for row in run { (y + row * outputs).update(from: bias, count: outputs) }
      }
    }
    let beta: Float = bias == nil ? 0 : 1
    withExtendedLifetime(owner) {
      if x.rows <= Self.fewRows {
        applyAsRead(to: x, into: y, beta: beta)
      } else {
        applyInPanels(to: x, into: y, beta: beta)
      }
    }
    map?.apply(to: .float32(y), rows: x.rows, columns: outputs)
  }

  /// Each thread takes some outputs.
  private func applyAsRead(
    to x: MatrixView, into y: UnsafeMutablePointer<Float>, beta: Float
  ) {
    @inline(__always)
    func multiply<Element: StoredElement>(_ run: Range<Int>, as element: Element.Type) {
      fewRowProduct(
        element, row(run.lowerBound), outputs: run.count, x: x, into: y + run.lowerBound,
        yStride: outputs, beta: beta)
    }
    forEachFewRowRun(of: outputs, rowBytes: rowBytes, x: x, precision: .float32) { run in
      switch format {
      case .float32: multiply(run, as: Float.self)
      case .float16: multiply(run, as: Float16.self)
      case .bfloat16: multiply(run, as: BFloat16.self)
      case .q40, .q41, .q50, .q51, .q80, .q4K, .q5K, .q6K:
        applyBlocks(of: run, to: x, into: y, beta: beta)
      }
    }
  }

  /// Four rows at a time are expanded into memory that the processor keeps near.
  private func applyBlocks(
    of run: Range<Int>, to x: MatrixView, into y: UnsafeMutablePointer<Float>, beta: Float
  ) {
    let scratch = Storage(count: 4 * inputs)
    withExtendedLifetime(scratch) {
      for first in stride(from: run.lowerBound, to: run.upperBound, by: 4) {
        let count = min(4, run.upperBound - first)
        format.expand(row(first), count: count * inputs, into: scratch.pointer)
        fewRowProduct(
          Float.self, scratch.pointer, outputs: count, x: x, into: y + first,
          yStride: outputs, beta: beta)
      }
    }
  }

  /// Each thread takes some outputs, a panel, and some rows of x.
  private func applyInPanels(
    to x: MatrixView, into y: UnsafeMutablePointer<Float>, beta: Float
  ) {
    let cuts = PanelCuts(rows: x.rows, across: outputs, unit: 16, inner: inputs)
    Parallel.forEach(cuts.count) { index in
      let (rows, panel) = cuts[index]
      let scratch = Storage(count: liesAsFloats ? 0 : panel.count * inputs)
      withExtendedLifetime(scratch) {
        singleThreadProduct(
          x.part(rows: rows, columns: 0..<inputs),
          self.panel(panel, columns: 0..<inputs, in: scratch.pointer), .secondTransposed,
          into: y + (rows.lowerBound * outputs + panel.lowerBound), cStride: outputs,
          beta: beta)
      }
    }
  }

  /// Each thread takes some inputs, columns of dx that nobody else writes, and some rows of dy; it
  /// goes through the outputs panel by panel and adds up.
  public func applyTransposed(
    to dy: MatrixView, into dx: UnsafeMutablePointer<Float>, beta: Float
  ) {
    precondition(
      dy.columns == outputs,
      "dy of shape [\(dy.rows), \(dy.columns)] does not fit a weight of shape "
        + "[\(outputs), \(inputs)]")
    let unit = max(16, format.blockElements)
    let cuts = PanelCuts(rows: dy.rows, across: inputs, unit: unit)
    withExtendedLifetime(owner) {
      Parallel.forEach(cuts.count) { index in
        let (rows, columns) = cuts[index]
        let depth = min(outputs, PanelCuts.largestPanel / columns.count)
        let scratch = Storage(count: liesAsFloats ? 0 : depth * columns.count)
        withExtendedLifetime(scratch) {
          for first in stride(from: 0, to: outputs, by: depth) {
            let outputRange = first..<min(outputs, first + depth)
            singleThreadProduct(
              dy.part(rows: rows, columns: outputRange),
              panel(outputRange, columns: columns, in: scratch.pointer), .plain,
              into: dx + (rows.lowerBound * inputs + columns.lowerBound), cStride: inputs,
              beta: first == 0 ? beta : 1)
          }
        }
      }
    }
  }

  /// A part of the weight as float32: where it lies if it is that already, else in `scratch`.
  /// - Parameter columns: Beginning and ending at a block's border.
  private func panel(
    _ rows: Range<Int>, columns: Range<Int>, in scratch: UnsafeMutablePointer<Float>
  ) -> MatrixView {
    let begin = row(rows.lowerBound) + format.byteCount(of: columns.lowerBound)
    if liesAsFloats {
      return MatrixView(
        begin.assumingMemoryBound(to: Float.self), rows: rows.count, columns: columns.count,
        stride: inputs)
    }
    for index in 0..<rows.count {
      format.expand(
        begin + index &* rowBytes, count: columns.count, into: scratch + index &* columns.count)
    }
    return MatrixView(scratch, rows: rows.count, columns: columns.count)
  }
}

/// How a product with a stored weight is cut into parts of its result, by the shapes alone.
private struct PanelCuts {
  private let rows: Int
  private let rowParts: Int
  private let across: Int
  private let breadth: Int
  private let acrossParts: Int

  /// So many float32 values of a panel stay in a processor's second-level cache.
  static let largestPanel = 192 * 1024
  /// So many rows make up for expanding a panel once more.
  private static let rowsOfPart = 1024

  /// - Parameters:
  ///   - rows: The result's rows.
  ///   - across: The result's columns, cut at multiples of `unit`.
  ///   - inner: The numbers of a panel for each column, where a panel goes through whole sums.
  init(rows: Int, across: Int, unit: Int, inner: Int = 1) {
    self.rows = rows
    self.across = across
    rowParts = (rows + Self.rowsOfPart - 1) / Self.rowsOfPart
    // Parts for some threads, but none so narrow that to pack x for each of them costs much.
    let wanted = min(256, max(128, across / 16), max(64, Self.largestPanel / inner))
    breadth = (wanted + unit - 1) / unit * unit
    acrossParts = (across + breadth - 1) / breadth
  }

  var count: Int { rowParts * acrossParts }

  subscript(index: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let (row, column) = (index / acrossParts * Self.rowsOfPart, index % acrossParts * breadth)
    return (row..<min(rows, row + Self.rowsOfPart), column..<min(across, column + breadth))
  }
}
