import Tensors

/// Operations that choose, join and average rows. A tensor's rows are all its axes but the last
/// taken as one.
extension Variable {
  /// The rows of a range, `[rows, width]`; nothing is copied. Pullback: `dx[range] = dy`.
  public func rows(_ range: Range<Int>) -> Variable {
    let shape = [range.count, width]
    return .recording(
      kept.rows(range), shape: shape, rounded: rounded?.rows(range), from: [self]
    ) { [node, width] dy, gradients in
      gradients.accumulateSparse(into: node) { dx in
        dy.tensor(shape).add(to: dx + range.lowerBound * width)
      }
    }
  }

  /// The rows at the given places, in their order; a place may come more than once.
  ///
  /// Pullback: each row's gradient is added to its place.
  /// - Returns: `[indices.count, width]`.
  public func gatheredRows(_ indices: [Int32]) -> Variable {
    .recording(value.gatheredRows(indices), from: [self]) { [node, width] dy, gradients in
      gradients.accumulateSparse(into: node) { dx in
        dy.read { scatterAdd($0, rows: indices, width: width, to: dx) }
      }
    }
  }

  /// The rows of several variables one after the other, `[sum of rows, width]`.
  ///
  /// Pullback: each part takes its rows of `dy`.
  public static func concatenatedRows(_ parts: [Variable]) -> Variable {
    precondition(!parts.isEmpty, "there is nothing to join")
    let width = parts[0].width
    if parts.count == 1 {
      return parts[0].shape.count == 2 ? parts[0] : parts[0].reshaped([parts[0].rowCount, width])
    }
    precondition(
      parts.allSatisfy { $0.shape.last == width },
      "rows of different widths: \(parts.map(\.shape))")
    var rows = 0
    let targets = parts.map { part in
      defer { rows += part.rowCount }
      return (node: part.node, rows: rows..<rows + part.rowCount)
    }
    return .recording(
      Operand.concatenated(parts.map(\.kept), rows: rows, width: width),
      shape: [rows, width], from: parts
    ) { dy, gradients in
      for target in targets { gradients.addFactor(dy.rows(target.rows), to: target.node) }
    }
  }

  /// The mean over every `size` neighbouring rows, `[rows / size, width]`.
  ///
  /// Pullback: each row takes `dy / size`.
  public func meanOfRows(inGroupsOf size: Int) -> Variable {
    let (shape, width) = (self.shape, self.width)
    let groups = rowCount / size
    precondition(groups * size == rowCount, "\(shape) has no whole groups of \(size) rows")
    let y = value.read { x in
      Tensor(shape: [groups, width]) { y in
        y.update(repeating: 0, count: groups * width)
        for row in 0..<groups * size {
          let target = y + row / size * width
          for column in 0..<width { target[column] += x[row * width + column] / Float(size) }
        }
      }
    }
    return .recording(y, from: self) { dy in
      dy.read { dy in
        Tensor(shape: shape) { dx in
          for row in 0..<groups * size {
            let source = dy + row / size * width
            for column in 0..<width { dx[row * width + column] = source[column] / Float(size) }
          }
        }
      }
    }
  }
}

/// target[rows[i]] += source[i], over columns in parallel, since a row may come more than once.
func scatterAdd(
  _ source: UnsafePointer<Float>, rows: [Int32], width: Int, to target: UnsafeMutablePointer<Float>
) {
  Parallel.forEachRun(of: width, grain: 128) { columns in
    for (index, row) in rows.enumerated() {
      addVectors(
        source + index * width + columns.lowerBound,
        to: target + Int(row) * width + columns.lowerBound, count: columns.count)
    }
  }
}
