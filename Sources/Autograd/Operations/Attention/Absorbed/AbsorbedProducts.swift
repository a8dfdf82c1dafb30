import Tensors

/// The products with weights, head by head over the rows of all groups. They are cut by sizes alone.
extension AbsorbedAttentionPass {
  /// Calls the body with each head and runs of rows, or of columns of a weight's gradient.
  private func forEachHead(_ count: Int, _ body: (_ head: Int, _ run: Range<Int>) -> Void) {
    let taskRows = 384
    let runs = (count + taskRows - 1) / taskRows
    Parallel.forEach(headCount * runs) { index in
      let start = index % runs * taskRows
      body(index / runs, start..<min(count, start + taskRows))
    }
  }

  /// Some of a head's columns in `[query rows, heads, width]`.
  private func part(
    _ x: UnsafePointer<Number>, _ width: Int, _ head: Int, _ rows: Range<Int>,
    columns: Range<Int>
  ) -> ElementView<Number> {
    ElementView(
      x + ((rows.lowerBound * headCount + head) * width + columns.lowerBound), rows: rows.count,
      columns: columns.count, stride: headCount * width)
  }

  /// For each head, C = A · W, or with a transposed weight A · Wᵀ.
  /// - Parameters:
  ///   - a: `[query rows, heads, head width]`, or transposed `[query rows, heads, inputs]`.
  ///   - c: `[query rows, heads, inputs]`, or transposed `[query rows, heads, head width]`.
  func multiply(
    _ a: UnsafePointer<Number>, by weight: Operand, isTransposed: Bool = false,
    into c: ProductResult
  ) {
    let (inner, columns) = isTransposed ? (inputs, headWidth) : (headWidth, inputs)
    Operand.withNumbers(of: [weight], as: Number.self) { w in
      forEachHead(rows) { head, rows in
        let memory = NumberBuffer<Float>(
          count: Number.packedCount(inner: inner, columns: columns))
        let weight = PackedOperand(
          ElementView(w[0] + head * headWidth * inputs, rows: headWidth, columns: inputs),
          isTransposed: isTransposed, in: memory.pointer)
        Number.multiply(
          part(a, inner, head, rows, columns: 0..<inner), weight,
          into: c.advanced(by: (rows.lowerBound * headCount + head) * columns),
          cStride: headCount * columns, fillsLines: false, rowScales: nil)
        withExtendedLifetime(memory) {}
      }
    }
  }

  /// For each head, dW = xᵀ · b + beta · dW.
  /// - Parameters:
  ///   - x: `[query rows, width]`.
  ///   - b: `[query rows, heads, inputs]`.
  ///   - dw: `[width, inputs]`.
  func addWeightGradient(
    _ x: Operand, _ b: NumberBuffer<Number>, to dw: UnsafeMutablePointer<Float>,
    beta: Float
  ) {
    Operand.withNumbers(of: [x], as: Number.self) { x in
      forEachHead(inputs) { head, columns in
        let copies = NumberBuffer<Float>(
          count: Number.copyCount(rows: headWidth, inner: rows, columns: columns.count))
        Number.multiplyTransposed(
          part(x[0], headWidth, head, 0..<rows, columns: 0..<headWidth),
          part(b.pointer, inputs, head, 0..<rows, columns: columns),
          into: dw + (head * headWidth * inputs + columns.lowerBound), cStride: inputs,
          beta: beta, copies: copies.pointer)
        withExtendedLifetime(copies) {}
      }
    }
    withExtendedLifetime(b) {}
  }
}
