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

  public func factor(_ x: ProductFactor) -> ProductFactor { .bfloat16(x.rounded) }

  public var resultPrecision: ProductPrecision { .bfloat16 }

  /// Up to so many rows a product costs what reading the weight costs; it is then best made by a
  /// kernel that does only that.
  public static let fewRows = 4

  public func apply(to x: ProductFactor, bias: Tensor?, into y: ProductResult) {
    if x.count <= BFloat16Weight.fewRows * inputs {
      return applyAsRead(to: x.tensor([x.count / inputs, inputs]), bias: bias, into: y)
    }
    x.rounded.read { x in
      matrix.read { w in
        func multiply(_ bias: UnsafePointer<Float>?) {
          sharedProduct(
            x, w, .secondTransposed, into: y, cStride: outputs, ProductSum(bias: bias))
        }
        guard let bias else { return multiply(nil) }
        bias.read { multiply($0) }
      }
    }
  }

  private func applyAsRead(to x: Tensor, bias: Tensor?, into y: ProductResult) {
    let rows = x.rowCount
    let result = Tensor(shape: [rows, outputs]) { target in
      x.readMatrix { x in
        matrix.read { w in
          let grain = max(4, Parallel.rowGrain(width: inputs) / 4 * 4)
          Parallel.forEachRun(of: outputs, grain: grain) { run in
            ProductCounter.count(
              rows: rows, inner: inputs, columns: run.count, precision: .bfloat16,
              factorBytes: run.count * inputs * 2 + rows * inputs * 4
            ) {
              fewRowProduct(
                BFloat16Element.self, w.pointer + run.lowerBound * inputs, outputs: run.count,
                x: x, into: target + run.lowerBound, yStride: outputs, keeping: 0)
            }
          }
        }
      }
    }
    result.read { result in
      for row in 0..<rows {
        let line = result + row * outputs
        switch y.advanced(by: row * outputs) {
        case .float32(let target):
          if let bias {
            bias.read { mapVectors(line, $0, into: target, count: outputs) { $0 + $1 } }
          } else {
            target.update(from: line, count: outputs)
          }
        case .bfloat16(let target):
          guard let bias else {
            roundVectors(line, into: target, count: outputs)
            continue
          }
          bias.read { bias in
            for place in 0..<outputs { target[place] = BFloat16(line[place] + bias[place]) }
          }
        }
      }
    }
  }

  public func applyTransposed(to dy: ProductFactor, into dx: ProductResult, keeping: Float) {
    dy.rounded.read { dy in
      matrix.read { w in
        sharedProduct(dy, w, .plain, into: dx, cStride: inputs, ProductSum(keeping: keeping))
      }
    }
  }

  /// Some of the outputs, in the same memory.
  public func outputs(_ range: Range<Int>) -> BFloat16Weight {
    BFloat16Weight(matrix.rows(range))
  }

  public func rows(_ indices: [Int32]) -> Tensor {
    Tensor(shape: [indices.count, inputs]) { target in
      matrix.read { w in
        for (place, index) in indices.enumerated() {
          precondition(
            index >= 0 && index < outputs,
            "row \(index) lies outside a weight of shape [\(outputs), \(inputs)]")
          expandVectors(
            w.pointer + Int(index) * inputs, into: target + place * inputs, count: inputs)
        }
      }
    }
  }

  public func expanded() -> Tensor { matrix.expanded([outputs, inputs]) }
}
