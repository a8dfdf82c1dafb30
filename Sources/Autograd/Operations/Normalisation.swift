import Tensors

extension Variable {
  /// Each row divided by its Euclidean length: `y = x / max(|x|, 1e-12)`.
  ///
  /// Pullback: `dx = (dy − y · sum(dy · y)) / |x|`.
  /// - Returns: A variable of the receiver's shape.
  public func unitRows() -> Variable {
    let (rows, width) = (rowCount, self.width)
    var lengths = [Float](repeating: 0, count: rows)
    let y = value.read { x in
      Tensor(shape: shape) { y in
        for row in 0..<rows {
          let start = row * width
          let square = sumVectors(x + start, count: width) { $0 * $0 }
          lengths[row] = max(square.squareRoot(), 1e-12)
          let inverse = 1 / lengths[row]
          mapVectors(x + start, into: y + start, count: width) { $0 * inverse }
        }
      }
    }
    return .recording(y, from: self) { [lengths] dy in
      read(dy, y) { dy, y in
        Tensor(shape: [rows, width]) { dx in
          for row in 0..<rows {
            let start = row * width
            let along = sumVectors(dy + start, y + start, count: width) { $0 * $1 }
            let inverse = 1 / lengths[row]
            mapVectors(dy + start, y + start, into: dx + start, count: width) { dy, y in
              (dy - y * along) * inverse
            }
          }
        }
      }
    }
  }

  /// The maximum over every `size` neighbouring rows, place by place, `[rows / size, width]`
  /// (the similarity of a pair is the maximum over the queries, Li et al. 2023, §3.1).
  ///
  /// Pullback: `dy` goes to the row that had the maximum, the first of equals.
  public func maximumOfRows(inGroupsOf size: Int) -> Variable {
    let (shape, width) = (self.shape, self.width)
    let groups = rowCount / size
    precondition(groups * size == rowCount, "\(shape) has no whole groups of \(size) rows")
    var winners = [Int32](repeating: 0, count: groups * width)
    let y = value.read { x in
      Tensor(shape: [groups, width]) { y in
        for group in 0..<groups {
          for column in 0..<width {
            var best = group * size
            for row in best + 1..<(group + 1) * size
            where x[row * width + column] > x[best * width + column] {
              best = row
            }
            winners[group * width + column] = Int32(best)
            y[group * width + column] = x[best * width + column]
          }
        }
      }
    }
    return .recording(y, from: self) { [winners] dy in
      var dx = Tensor.zeros(shape)
      dx.modify { dx in
        dy.read { dy in
          for (index, row) in winners.enumerated() {
            dx[Int(row) * width + index % width] += dy[index]
          }
        }
      }
      return dx
    }
  }

  /// The transpose of a matrix. Pullback: `dx = dyᵀ`.
  public func transposed() -> Variable {
    .recording(value.transposed(), from: self) { dy in dy.transposed() }
  }
}
