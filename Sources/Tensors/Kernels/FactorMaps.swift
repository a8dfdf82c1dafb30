/// Operations on each value of factors, which are float32 or bfloat16.
extension ProductFactor {
  /// How many values there are.
  public var count: Int {
    switch self {
    case .float32(let values): values.count
    case .bfloat16(let matrix): matrix.rows * matrix.columns
    }
  }

  /// f(x) for every value x, in the receiver's form.
  @inlinable @inline(__always)
  public func mapped(_ f: (Vector) -> Vector) -> ProductFactor {
    switch self {
    case .float32(let values): .float32(values.mapped(f))
    case .bfloat16(let matrix):
      .bfloat16(
        BFloat16Matrix(rows: matrix.rows, columns: matrix.columns) { y in
          matrix.read { x in
            Parallel.forEachRun(of: x.rows * x.columns, grain: 16_384) { run in
              let (x, y) = (x.pointer + run.lowerBound, y + run.lowerBound)
              forEachVector(run.count) { i in
                f(Vector(x + i)).store(y + i)
              } partial: { i, lanes in
                f(Vector(x + i, first: lanes)).store(y + i, first: lanes)
              }
            }
          }
        })
    }
  }

  /// f(a, b) for every value a and the other's b, in the receiver's form.
  @inlinable @inline(__always)
  public func combined(
    with other: ProductFactor, _ f: (Vector, Vector) -> Vector
  ) -> ProductFactor {
    precondition(count == other.count, "\(count) and \(other.count) values do not go together")
    switch (self, other) {
    case (.float32(let a), _):
      return .float32(a.combined(with: other.tensor(a.shape), f))
    case (.bfloat16(let a), .float32(let b)):
      return .bfloat16(
        BFloat16Matrix(rows: a.rows, columns: a.columns) { y in
          a.read { a in
            b.read { b in
              Parallel.forEachRun(of: a.rows * a.columns, grain: 16_384) { run in
                let (a, b) = (a.pointer + run.lowerBound, b + run.lowerBound)
                let y = y + run.lowerBound
                forEachVector(run.count) { i in
                  f(Vector(a + i), Vector(b + i)).store(y + i)
                } partial: { i, lanes in
                  f(Vector(a + i, first: lanes), Vector(b + i, first: lanes))
                    .store(y + i, first: lanes)
                }
              }
            }
          }
        })
    case (.bfloat16(let a), .bfloat16(let b)):
      return .bfloat16(
        BFloat16Matrix(rows: a.rows, columns: a.columns) { y in
          a.read { a in
            b.read { b in
              Parallel.forEachRun(of: a.rows * a.columns, grain: 16_384) { run in
                let (a, b) = (a.pointer + run.lowerBound, b.pointer + run.lowerBound)
                let y = y + run.lowerBound
                forEachVector(run.count) { i in
                  f(Vector(a + i), Vector(b + i)).store(y + i)
                } partial: { i, lanes in
                  f(Vector(a + i, first: lanes), Vector(b + i, first: lanes))
                    .store(y + i, first: lanes)
                }
              }
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
          let x = x.pointer + row * x.columns
          forEachVector(matrix.columns) { i in
            (Vector(sums + i) + Vector(x + i)).store(sums + i)
          } partial: { i, lanes in
            (Vector(sums + i, first: lanes) + Vector(x + i, first: lanes))
              .store(sums + i, first: lanes)
          }
        }
      }
    }
  }
}
