import Tensors

/// The products with weights, head by head over the rows of all groups. They are cut by sizes alone.
extension AbsorbedAttentionPass {
  /// Rows, or columns of a weight's gradient, in one task.
  private var taskRows: Int { 384 }

  /// Calls the body with each head and runs of up to `taskRows` of so many rows.
  private func forEachHead(_ count: Int, _ body: (_ head: Int, _ run: Range<Int>) -> Void) {
    let runs = (count + taskRows - 1) / taskRows
    Parallel.forEach(sizes.headCount * runs) { index in
      let start = index % runs * taskRows
      body(index / runs, start..<min(count, start + taskRows))
    }
  }

  /// A head's columns of rows `[rows, width]`.
  private func part(
    _ x: UnsafePointer<Number>, _ head: Int, _ rows: Range<Int>
  ) -> ElementView<Number> {
    ElementView(
      x + (rows.lowerBound * sizes.width + head * sizes.headWidth), rows: rows.count,
      columns: sizes.headWidth, stride: sizes.width)
  }

  /// Some columns of a head's rows in `[rows, heads, inputs]`.
  private func part(
    _ x: NumberBuffer<Number>, _ head: Int, _ rows: Range<Int>, columns: Range<Int>
  ) -> ElementView<Number> {
    ElementView(
      UnsafePointer(x.pointer)
        + (rows.lowerBound * sizes.step + head * sizes.inputs + columns.lowerBound),
      rows: rows.count, columns: columns.count, stride: sizes.step)
  }

  /// A head's rows of a weight `[width, inputs]`.
  private func part(ofWeight w: UnsafePointer<Number>, _ head: Int) -> ElementView<Number> {
    ElementView(
      w + head * sizes.headWidth * sizes.inputs, rows: sizes.headWidth, columns: sizes.inputs)
  }

  /// For each head, x · W.
  /// - Parameters:
  ///   - x: `[query rows, width]`.
  ///   - c: `[query rows, heads, inputs]`.
  func multiply(_ x: ProductFactor, by weight: ProductFactor, into c: NumberBuffer<Number>) {
    Number.read(x) { x in
      Number.read(weight) { w in
        forEachHead(sizes.rows) { head, rows in
          Number.Right(rowsOf: part(ofWeight: w, head)).multiply(
            part(x, head, rows),
            into: Number.result(
              c.pointer + (rows.lowerBound * sizes.step + head * sizes.inputs)),
            cStride: sizes.step)
        }
      }
    }
  }

  /// For each head, b · Wᵀ.
  /// - Parameters:
  ///   - b: `[query rows, heads, inputs]`.
  ///   - c: `[query rows, width]`.
  func multiply(_ b: NumberBuffer<Number>, by weight: ProductFactor, into c: ProductResult) {
    Number.read(weight) { w in
      forEachHead(sizes.rows) { head, rows in
        Number.Right(columnsOf: part(ofWeight: w, head)).multiply(
          part(b, head, rows, columns: 0..<sizes.inputs),
          into: c.advanced(by: rows.lowerBound * sizes.width + head * sizes.headWidth),
          cStride: sizes.width)
      }
    }
  }

  /// For each head, dW = xᵀ · b + keeping · dW.
  /// - Parameters:
  ///   - x: `[query rows, width]`.
  ///   - b: `[query rows, heads, inputs]`.
  ///   - dw: `[width, inputs]`.
  func addWeightGradient(
    _ x: ProductFactor, _ b: NumberBuffer<Number>, to dw: UnsafeMutablePointer<Float>,
    keeping: Float
  ) {
    let rows = 0..<sizes.rows
    Number.read(x) { x in
      forEachHead(sizes.inputs) { head, columns in
        Number.multiplyTransposed(
          part(x, head, rows), part(b, head, rows, columns: columns),
          into: dw + (head * sizes.headWidth * sizes.inputs + columns.lowerBound),
          cStride: sizes.inputs, keeping: keeping)
      }
    }
    withExtendedLifetime(b) {}
  }
}
