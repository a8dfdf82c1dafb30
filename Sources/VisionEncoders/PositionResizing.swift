import Autograd
import Tensors

/// Fits a square table of patch positions to another grid by bicubic interpolation, as PyTorch does
/// it: a = −0.75, no antialiasing, corners not aligned, places outside take the edge.
enum PositionResizing {
  /// - Parameters:
  ///   - table: `[side · side, width]`.
  ///   - rows: The grid wanted.
  /// - Returns: `[rows · columns, width]`; the table itself where the grid is the same.
  static func resized(_ table: Variable, side: Int, rows: Int, columns: Int) -> Variable {
    if rows == side && columns == side { return table }
    let vertical = weights(from: side, to: rows)
    let horizontal = weights(from: side, to: columns)
    let matrix = Tensor(shape: [rows * columns, side * side]) { matrix in
      for row in 0..<rows {
        for column in 0..<columns {
          let line = matrix + (row * columns + column) * side * side
          for y in 0..<side {
            for x in 0..<side { line[y * side + x] = vertical[row][y] * horizontal[column][x] }
          }
        }
      }
    }
    return Variable(matrix).product(table)
  }

  /// For each place of the result, what every place of the source weighs.
  private static func weights(from source: Int, to target: Int) -> [[Float]] {
    let scale = Float(source) / Float(target)
    return (0..<target).map { place in
      let centre = (Float(place) + 0.5) * scale - 0.5
      let first = Int(centre.rounded(.down))
      var line = [Float](repeating: 0, count: source)
      for offset in -1...2 {
        let index = min(max(first + offset, 0), source - 1)
        line[index] += cubic(abs(centre - Float(first + offset)))
      }
      return line
    }
  }

  /// Keys' cubic kernel with a = −0.75 (Keys 1981).
  private static func cubic(_ x: Float) -> Float {
    let a: Float = -0.75
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
  }
}
