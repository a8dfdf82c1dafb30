/// Operations on each value by itself. Both tensors of a pair have the same shape.
extension Tensor {
  /// The tensor of f(x) for every value x.
  @inlinable @inline(__always)
  public func mapped(_ f: (Vector) -> Vector) -> Tensor {
    read { x in
      Tensor(shape: shape) { y in
        Parallel.forEachRun(of: count, grain: 16_384) { run in
          mapVectors(x + run.lowerBound, into: y + run.lowerBound, count: run.count, f)
        }
      }
    }
  }

  /// The tensor of f(a, b) for every pair of values.
  @inlinable @inline(__always)
  public func combined(with other: Tensor, _ f: (Vector, Vector) -> Vector) -> Tensor {
    precondition(
      shape == other.shape, "tensors of shapes \(shape) and \(other.shape) do not go together")
    return Tensors.read(self, other) { a, b in
      Tensor(shape: shape) { y in
        Parallel.forEachRun(of: count, grain: 16_384) { run in
          mapVectors(
            a + run.lowerBound, b + run.lowerBound, into: y + run.lowerBound, count: run.count, f)
        }
      }
    }
  }

  public static func + (a: Tensor, b: Tensor) -> Tensor { a.combined(with: b) { $0 + $1 } }
  public static func - (a: Tensor, b: Tensor) -> Tensor { a.combined(with: b) { $0 - $1 } }
  public static func * (a: Tensor, b: Tensor) -> Tensor { a.combined(with: b) { $0 * $1 } }
  public static func * (a: Tensor, b: Float) -> Tensor { a.mapped { $0 * b } }
  public static func * (a: Float, b: Tensor) -> Tensor { b * a }

  /// Adds another tensor to this one in place.
  public mutating func add(_ other: Tensor) {
    precondition(count == other.count, "cannot add shape \(other.shape) to shape \(shape)")
    modify { other.add(to: $0) }
  }

  /// Adds the values to as many others.
  public func add(to target: UnsafeMutablePointer<Float>) {
    read { x in
      Parallel.forEachRun(of: count, grain: 16_384) { run in
        addVectors(x + run.lowerBound, to: target + run.lowerBound, count: run.count)
      }
    }
  }
}

/// y[i] += x[i]
@inlinable @inline(__always)
public func addVectors<Number: LaneElement>(
  _ x: UnsafePointer<Number>, to y: UnsafeMutablePointer<Float>, count: Int
) {
  forEachVector(count) { i in
    (Number.load(x + i) + Vector(y + i)).store(y + i)
  } partial: { i, lanes in
    (Number.load(x + i, first: lanes) + Vector(y + i, first: lanes)).store(y + i, first: lanes)
  }
}
