/// A weight that is multiplied in bfloat16.
public struct BFloat16Weight: MatrixWeight {
  /// `[outputs, inputs]`.
  public let matrix: BFloat16Matrix

  /// Rounds a weight; one that is stored in bfloat16 is used where it lies.
  public init(_ weight: any MatrixWeight) {
    if let stored = (weight as? StoredWeight)?.bfloat16 ?? (weight as? BFloat16Weight)?.matrix {
      matrix = stored
    } else {
      matrix = weight.expanded().readMatrix { BFloat16Matrix(rounding: $0) }
    }
  }

  init(_ matrix: BFloat16Matrix) { self.matrix = matrix }

  public var outputs: Int { matrix.rows }
  public var inputs: Int { matrix.columns }

  public func factor(_ x: Operand) -> Operand { .bfloat16(x.rounded) }

  public var resultPrecision: ProductPrecision { .bfloat16 }

  /// Up to so many rows a product costs what reading the weight costs; it is then best made by a
  /// kernel that does only that.
  public static let fewRows = 4

  public func apply(
    to x: Operand, bias: Tensor?, into y: ProductResult, then map: FusedMap?
  ) {
    if x.count <= BFloat16Weight.fewRows * inputs {
      applyAsRead(to: x.tensor([x.count / inputs, inputs]), bias: bias, into: y)
      map?.apply(to: y, rows: x.count / inputs, columns: outputs)
      return
    }
    x.rounded.read { x in
      matrix.read { w in
        bias.read {
          MatrixProduct(x, w, .secondTransposed, into: y, cStride: outputs, Epilogue(bias: $0))
            .multiply(then: map)
        }
      }
    }
  }

  private func applyAsRead(to x: Tensor, bias: Tensor?, into y: ProductResult) {
    let rows = x.rowCount
    let result = Tensor(shape: [rows, outputs]) { target in
      x.readMatrix { x in
        matrix.read { w in
          forEachFewRowRun(of: outputs, rowBytes: 2 * inputs, x: x, precision: .bfloat16) { run in
            fewRowProduct(
              BFloat16.self, w.pointer + run.lowerBound * inputs, outputs: run.count, x: x,
              into: target + run.lowerBound, yStride: outputs, beta: 0)
          }
        }
      }
      bias?.read { bias in
        for row in 0..<rows {
          let line = target + row * outputs
          mapVectors(line, bias, into: line, count: outputs) { $0 + $1 }
        }
      }
    }
    result.read { y.write($0, count: rows * outputs) }
  }

  public func applyTransposed(to dy: Operand, into dx: ProductResult, beta: Float) {
    dy.rounded.read { dy in
      matrix.read { w in
        MatrixProduct(dy, w, .plain, into: dx, cStride: inputs, Epilogue(beta: beta)).multiply()
      }
    }
  }

  /// Some of the outputs, in the same memory.
  public func outputs(_ range: Range<Int>) -> BFloat16Weight {
    BFloat16Weight(matrix.rows(range))
  }

  public func rows(_ indices: [Int32]) -> Tensor {
    matrix.read { w in
      gathered(indices) { expandVectors(w.pointer + $0 * inputs, into: $1, count: inputs) }
    }
  }

  public func expanded() -> Tensor { matrix.expanded([outputs, inputs]) }
}
