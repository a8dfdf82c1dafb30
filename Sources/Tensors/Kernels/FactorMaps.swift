/// Operations on each value of factors, which are float32 or bfloat16.
extension Operand {
  /// How many values there are.
  public var count: Int {
    switch self {
    case .float32(let values): values.count
    case .bfloat16(let matrix): matrix.rows * matrix.columns
    }
  }

  /// f(x) for every value x, in the receiver's form.
  public func mapped(by f: any UnaryFunction.Type) -> Operand {
    switch self {
    case .float32(let values):
      .float32(
        Tensor(shape: values.shape) { y in
          values.read { x in
            Parallel.forEachRun(of: count, grain: Pointwise.grain) { run in
              f.map(
                x + run.lowerBound, into: y + run.lowerBound, rows: 1, columns: run.count,
                stride: run.count)
            }
          }
        })
    case .bfloat16(let matrix):
      .bfloat16(
        BFloat16Matrix(rows: matrix.rows, columns: matrix.columns) { y in
          matrix.read { x in
            Parallel.forEachRun(of: count, grain: Pointwise.grain) { run in
              f.map(
                x.pointer + run.lowerBound, into: y + run.lowerBound, rows: 1,
                columns: run.count, stride: run.count)
            }
          }
        })
    }
  }

  /// f(a, b) for every value a and the other's b, in the receiver's form.
  @inlinable
  public func combined<Function: BinaryFunction>(
    with other: Operand, by f: Function.Type
  ) -> Operand {
    precondition(count == other.count, "\(count) and \(other.count) values do not go together")
    switch self {
    case .float32(let a):
      let b = other.tensor(a.shape)
      return .float32(
        Tensor(shape: a.shape) { y in
          read(a, b) { a, b in Pointwise.combine(f, a, b, into: y, count: count) }
        })
    case .bfloat16(let a):
      return .bfloat16(
        BFloat16Matrix(rows: a.rows, columns: a.columns) { y in
          a.read { a in
            switch other {
            case .float32(let b):
              b.read { Pointwise.combine(f, a.pointer, $0, into: y, count: count) }
            case .bfloat16(let b):
              b.read { Pointwise.combine(f, a.pointer, $0.pointer, into: y, count: count) }
            }
          }
        })
    }
  }

  /// Adds the sum over all rows to `target`, `[width]`.
  public func addColumnSums(to target: UnsafeMutablePointer<Float>) {
    switch self {
    case .float32(let values): values.addColumnSums(to: target)
    case .bfloat16(let matrix):
      matrix.read { x in
        ColumnSums.add(rows: x.rows, width: x.columns, to: target) { row, sums in
          addVectors(x.pointer + row * x.columns, to: sums, count: x.columns)
        }
      }
    }
  }
}
