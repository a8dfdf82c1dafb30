/// A frozen weight in bfloat16 in the order in which tiles read it, so that no product copies it: for
/// models that no gradient passes through, such as frozen image encoders.
public struct PackedWeight: MatrixWeight {
  public let outputs: Int
  public let inputs: Int
  private nonisolated(unsafe) let panels: BFloat16Panels
  private let memory: Storage

  /// Whether products with such a weight are faster than with a `BFloat16Weight` here.
  public static func isFastest(outputs: Int, inputs: Int) -> Bool {
    TiledProduct.isPreferred && inputs <= TiledProduct.mostPackedInputs && outputs >= 16
  }

  /// Rounds a weight.
  /// - Precondition: At most `TiledProduct.mostPackedInputs` inputs.
  public init(_ weight: any MatrixWeight) {
    precondition(
      weight.inputs <= TiledProduct.mostPackedInputs, "panels of \(weight.inputs) inputs")
    (outputs, inputs) = (weight.outputs, weight.inputs)
    memory = Storage(count: BFloat16Panels.count(columns: outputs, inner: inputs))
    let panels = BFloat16Panels(memory.pointer, columns: outputs, inner: inputs)
    self.panels = panels
    BFloat16Weight(weight).matrix.read { w in
      Parallel.forEach(panels.count) {
        panels.write($0, of: RightFactor(view: w, isTransposed: true))
      }
    }
  }

  private init(_ whole: PackedWeight, firstPanel: Int, outputs: Int) {
    (self.outputs, inputs, memory) = (outputs, whole.inputs, whole.memory)
    panels = whole.panels.panels(from: firstPanel, columns: outputs)
  }

  public func factor(_ x: Operand) -> Operand { .bfloat16(x.rounded) }

  public var resultPrecision: ProductPrecision { .bfloat16 }

  /// Some of the outputs: in the same memory if they begin where a panel does, else copied.
  public func outputs(_ range: Range<Int>) -> PackedWeight {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= outputs,
      "outputs \(range) of a weight of shape [\(outputs), \(inputs)]")
    if range.lowerBound % BFloat16Panels.width == 0 {
      return PackedWeight(
        self, firstPanel: range.lowerBound / BFloat16Panels.width, outputs: range.count)
    }
    return PackedWeight(DenseWeight(rows(range.map { Int32($0) })))
  }

  public func apply(
    to x: Operand, bias: Tensor?, into y: ProductResult, then map: FusedMap?
  ) {
    x.rounded.read { x in
      precondition(
        x.columns == inputs,
        "x of shape [\(x.rows), \(x.columns)] does not fit a weight of shape "
          + "[\(outputs), \(inputs)]")
      bias.read { TiledProduct.multiply(x, panels, bias: $0, into: y, then: map) }
    }
    withExtendedLifetime(memory) {}
  }

  public func applyTransposed(to dy: Operand, into dx: ProductResult, beta: Float) {
    applyTransposedInBFloat16(to: dy, into: dx, beta: beta)
  }

  public func rows(_ indices: [Int32]) -> Tensor {
    withExtendedLifetime(memory) {
      gathered(indices) { panels.expand($0, into: $1, count: inputs) }
    }
  }
}
