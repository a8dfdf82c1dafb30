/// A frozen weight in int8: each output's row is whole numbers q of at most 127 times a scale. So are
/// the rows that it multiplies, which are rounded as they come (dynamic quantisation):
/// `y = (Σ qx · qw) · scale(x) · scale(w) + bias`.
///
/// The sum of bytes is exact. With the numbers rounded by at most half a scale, a result differs from
/// the product of the numbers themselves by at most
/// `scale(x) / 2 · Σ|w| + scale(w) / 2 · (Σ|x| + inputs · scale(x) / 2)`.
public struct Int8Weight: MatrixWeight {
  public let outputs: Int
  private let panels: Int8Panels
  /// The first panel, of a part of a weight.
  private let firstPanel: Int

  /// Sums of so many products of bytes fit 32 bits.
  static let mostInputs = 65_536

  /// Rows of a task; a multiple of a tile's.
  private static let taskRows = 192

  /// Rounds a weight; a row with a number that is not finite makes NaN.
  /// - Precondition: At most 65,536 inputs.
  public init(_ weight: any MatrixWeight) {
    precondition(
      weight.inputs <= Int8Weight.mostInputs, "sums of \(weight.inputs) products of bytes")
    panels = weight.expanded().readMatrix { Int8Panels(rounding: $0) }
    outputs = weight.outputs
    firstPanel = 0
  }

  private init(_ panels: Int8Panels, firstPanel: Int, outputs: Int) {
    (self.panels, self.firstPanel, self.outputs) = (panels, firstPanel, outputs)
  }

  public var inputs: Int { panels.inner }

  /// As it is: rows are rounded within the product.
  public func factor(_ x: Operand) -> Operand { x }

  public var resultPrecision: ProductPrecision { .bfloat16 }

  /// Some of the outputs: in the same memory if they begin where a panel does, else copied.
  public func outputs(_ range: Range<Int>) -> Int8Weight {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= outputs,
      "outputs \(range) of a weight of shape [\(outputs), \(inputs)]")
    let first = firstPanel * Int8Panels.width + range.lowerBound
    if first % Int8Panels.width == 0 {
      return Int8Weight(panels, firstPanel: first / Int8Panels.width, outputs: range.count)
    }
    return Int8Weight(
      Int8Panels(panels, columns: first..<first + range.count), firstPanel: 0,
      outputs: range.count)
  }

  public func apply(
    to x: Operand, bias: Tensor?, into y: ProductResult, then map: FusedMap?
  ) {
    precondition(
      x.count % inputs == 0,
      "\(x.count) values are no rows for a weight of shape [\(outputs), \(inputs)]")
    let left = Int8Rows(x, rows: x.count / inputs, inner: inputs)
    bias.read { multiply(left, bias: $0, into: y, then: map) }
  }

  private func multiply(
    _ left: Int8Rows, bias: UnsafePointer<Float>?, into y: ProductResult, then map: FusedMap?
  ) {
    let runs = (left.rows.rows + Int8Weight.taskRows - 1) / Int8Weight.taskRows
    let panelCount = (outputs + Int8Panels.width - 1) / Int8Panels.width
    Parallel.forEach(runs * panelCount) { task in
      let start = task % runs * Int8Weight.taskRows
      let rows = start..<min(left.rows.rows, start + Int8Weight.taskRows)
      let first = task / runs * Int8Panels.width
      let columns = min(Int8Panels.width, outputs - first)
      ProductCounter.count(
        rows: rows.count, inner: inputs, columns: columns, precision: .int8,
        factorBytes: inputs * (columns + rows.count)
      ) {
        let panel = panels.panel(firstPanel + task / runs)
        multiplyTiles(
          left.rows.part(rows), panel: panel.groups,
          into: QuadTarget(
            result: y.advanced(by: start * outputs + first), stride: outputs, columns: columns,
            rowScales: left.scales + start, panel: panel, bias: bias.map { $0 + first }))
      }
      map?.advanced(by: first).apply(
        to: y.advanced(by: first), rows: rows, columns: columns, stride: outputs)
    }
    withExtendedLifetime(left) {}
  }

  public func applyTransposed(to dy: Operand, into dx: ProductResult, beta: Float) {
    applyTransposedInBFloat16(to: dy, into: dx, beta: beta)
  }

  public func rows(_ indices: [Int32]) -> Tensor {
    gathered(indices) { panels.expand(firstPanel * Int8Panels.width + $0, into: $1) }
  }
}
