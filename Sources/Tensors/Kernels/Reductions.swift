/// Sums whose order depends on the shape alone, never on the number of threads.
extension Tensor {
  /// The sum of all values, added up in double precision.
  public func sum() -> Double {
    sumOfRuns(of: 65_536, together: 1) { x, count in
      var total = 0.0
      for i in 0..<count { total += Double(x[i]) }
      return total
    }
  }

  /// Whether a value is infinite or no number.
  public var hasNonFinite: Bool {
    // Finite float32 numbers, however many, do not leave a double's range.
    !sum().isFinite
  }

  /// The sum of the squares of all values, in double precision over runs of 4,096.
  public func squaredNorm() -> Double {
    sumOfRuns(of: 4096, together: 16) { x, count in
      Double(sumVectors(x, count: count) { $0 * $0 })
    }
  }

  /// The sum over runs of values, added up in their order.
  /// - Parameters:
  ///   - together: Runs that one thread takes at a time.
  ///   - sum: Of one run.
  private func sumOfRuns(
    of length: Int, together: Int, _ sum: (UnsafePointer<Float>, _ count: Int) -> Double
  ) -> Double {
    let runs = (count + length - 1) / length
    let sums = NumberBuffer<Double>(count: runs)
    read { x in
      Parallel.forEachRun(of: runs, grain: together) { range in
        for run in range {
          let start = run * length
          sums.pointer[run] = sum(x + start, Swift.min(length, count - start))
        }
      }
    }
    return sums.values.reduce(0, +)
  }

  /// The sum over all rows, `[width]`.
  public func columnSums() -> Tensor {
    Tensor(shape: [width]) { sums in
      sums.update(repeating: 0, count: width)
      addColumnSums(to: sums)
    }
  }

  /// Adds the sum over all rows to `target`, `[width]`.
  public func addColumnSums(to target: UnsafeMutablePointer<Float>) {
    let width = self.width
    read { x in
      ColumnSums.add(rows: rowCount, width: width, to: target) { row, sums in
        addVectors(x + row * width, to: sums, count: width)
      }
    }
  }
}

/// Sums over rows, in an order that the sizes alone decide.
enum ColumnSums {
  /// - Parameter addRow: Adds a row to a run's sums, `[width]`.
  @inline(__always)
  static func add(
    rows: Int, width: Int, to target: UnsafeMutablePointer<Float>,
    _ addRow: (_ row: Int, _ sums: UnsafeMutablePointer<Float>) -> Void
  ) {
    // Whole rows in runs, since memory is read fastest in its order; at most 32 runs.
    let grain = max(16, (rows + 31) / 32)
    let runs = (rows + grain - 1) / grain
    let partial = Tensor.zeros([runs, width])
    Parallel.forEachRun(of: rows, grain: grain) { run in
      let sums = partial.storage.pointer + run.lowerBound / grain * width
      for row in run { addRow(row, sums) }
    }
    partial.read { partial in
      for run in 0..<runs { addVectors(partial + run * width, to: target, count: width) }
    }
  }
}
