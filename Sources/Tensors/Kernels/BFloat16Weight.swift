/// A weight that is multiplied in bfloat16.
public struct BFloat16Weight: MatrixWeight {
  private let matrix: BFloat16Matrix

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

  public func factor(_ x: Tensor) -> ProductFactor { ProductFactor(x, in: .bfloat16) }

  public func apply(to x: ProductFactor, into y: UnsafeMutablePointer<Float>, keeping: Float) {
    rounded(x).read { x in
      matrix.read { w in
        sharedProduct(x, w, .secondTransposed, into: y, cStride: outputs, keeping: keeping)
      }
    }
  }

  public func applyTransposed(
    to dy: ProductFactor, into dx: UnsafeMutablePointer<Float>, keeping: Float
  ) {
    rounded(dy).read { dy in
      matrix.read { w in
        sharedProduct(dy, w, .plain, into: dx, cStride: inputs, keeping: keeping)
      }
    }
  }

  private func rounded(_ x: ProductFactor) -> BFloat16Matrix {
    switch x {
    case .bfloat16(let x): return x
    case .float32(let x): return x.readMatrix { BFloat16Matrix(rounding: $0) }
    }
  }

  public func rows(_ indices: [Int32]) -> Tensor {
    Tensor(shape: [indices.count, inputs]) { target in
      matrix.read { w in
        for (place, index) in indices.enumerated() {
          precondition(
            index >= 0 && index < outputs,
            "row \(index) lies outside a weight of shape [\(outputs), \(inputs)]")
          BFloat16Element.expand(
            w.pointer + Int(index) * inputs, count: inputs, into: target + place * inputs)
        }
      }
    }
  }

  public func expanded() -> Tensor {
    Tensor(shape: [outputs, inputs]) { target in
      matrix.read { w in
        Parallel.forEachRun(of: outputs, grain: Parallel.rowGrain(width: inputs)) { run in
          BFloat16Element.expand(
            w.pointer + run.lowerBound * inputs, count: run.count * inputs,
            into: target + run.lowerBound * inputs)
        }
      }
    }
  }
}
