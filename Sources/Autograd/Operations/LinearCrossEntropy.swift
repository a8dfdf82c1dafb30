import Glibc
import Tensors

extension Variable {
  /// The mean cross-entropy between the outputs of a linear map, `z = x · Wᵀ + b`, and class numbers,
  /// with label smoothing: the target of a row is `(1 − s)` at its class plus `s / classes`
  /// everywhere (Szegedy et al. 2016), so that
  /// `loss = mean over rows of (logSumExp(z) − (1 − s) · z[class] − s · mean(z))`.
  ///
  /// The whole of `z`, `[rows, classes]`, never exists: some rows at a time are computed, and as the
  /// gradient of a loss is a mere factor, their gradients are made at once (Hsu et al. 2024).
  /// Pullback: with `dz = (softmax(z) − target) / rows`, `dx = dy · dz · W`, `dW = dy · dzᵀ · x`,
  /// `db = dy · sum of dz over the rows`.
  /// - Parameters:
  ///   - weight: `[classes, inputs]`.
  ///   - bias: `[classes]`.
  ///   - classes: One class for each row of the receiver, `[..., inputs]`.
  /// - Returns: A variable of shape [].
  public func linearCrossEntropy(
    _ weight: Weight, bias: Variable? = nil, classes: [Int32], labelSmoothing: Float = 0
  ) -> Variable {
    let pass = LinearCrossEntropyPass(
      weight: weight.matrix, bias: bias?.value, classes: classes, labelSmoothing: labelSmoothing)
    weight.check(shape, bias: bias)
    pass.checkClasses(rowCount)
    let sums = LinearCrossEntropyPass.Sums(
      x: node.map { Tensor(shape: $0.shape) { _ in } },
      weight: weight.variable.map { Tensor(shape: $0.shape) { _ in } },
      bias: bias?.node.map { .zeros($0.shape) })
    let loss = pass.run(factor(for: weight), sums)
    var made = [
      (node, sums.x), (weight.variable?.node, sums.weight), (bias?.node, sums.bias),
    ].compactMap { node, gradient in
      gradient.map { (node: node, gradient: $0) }
    }
    return .recording(Tensor(loss), from: [self, weight.variable, bias]) { dy, gradients in
      for index in made.indices {
        made[index].gradient.scale(by: dy.scalar)
        gradients.add(made[index].gradient, to: made[index].node)
      }
    }
  }
}

/// The chunks of rows, one after another.
private struct LinearCrossEntropyPass {
  let weight: any MatrixWeight
  let bias: Tensor?
  let classes: [Int32]
  let labelSmoothing: Float

  /// The gradients that the chunks fill; those that are nil are not wanted.
  struct Sums {
    /// `[..., inputs]`.
    let x: Tensor?
    /// `[classes, inputs]`.
    let weight: Tensor?
    /// `[classes]`, zero at the start.
    let bias: Tensor?

    var areWanted: Bool { x != nil || weight != nil || bias != nil }
  }

  /// A chunk has so many logits at most (48 MiB) …
  private static let mostLogits = 12 << 20
  /// … but so many rows at least, or to read the weight would take longer than to multiply by it.
  private static let leastRows = 64

  func checkClasses(_ rows: Int) {
    precondition(
      !classes.isEmpty && classes.count == rows, "\(classes.count) classes for \(rows) rows")
    precondition(
      classes.allSatisfy { $0 >= 0 && $0 < weight.outputs },
      "a class lies outside 0..<\(weight.outputs)")
  }

  /// - Parameter x: `[rows, inputs]`.
  /// - Returns: The mean loss.
  func run(_ x: Operand, _ sums: Sums) -> Float {
    let rows = classes.count
    let most = max(Self.leastRows, Self.mostLogits / weight.outputs)
    // Chunks of about one size, in whole sixteens.
    let chunks = (rows + most - 1) / most
    let size = ((rows + chunks - 1) / chunks + 15) / 16 * 16
    var total = 0.0
    for start in stride(from: 0, to: rows, by: size) {
      let range = start..<min(rows, start + size)
      let part = x.rows(range)
      let logits = Tensor(shape: [range.count, weight.outputs]) {
        weight.apply(to: part, bias: bias, into: .float32($0))
      }
      let (losses, dz) = losses(logits, of: range, wantsGradient: sums.areWanted)
      total += losses.reduce(0, +)
      if let dz { add(dz, part, start: start, to: sums) }
    }
    return Float(total / Double(rows))
  }

  private func add(_ dz: Operand, _ x: Operand, start: Int, to sums: Sums) {
    if let dx = sums.x {
      weight.applyTransposed(
        to: dz, into: .float32(dx.writable + start * weight.inputs), beta: 0)
    }
    if let dw = sums.weight {
      Operand.addTransposedProduct(dz, x, into: dw.writable, beta: start == 0 ? 0 : 1)
    }
    if let db = sums.bias { dz.addColumnSums(to: db.writable) }
  }

  /// The losses of some rows, and the gradient of their logits as the weight multiplies it.
  /// - Parameter logits: `[range.count, classes]`; what they hold is used up.
  private func losses(
    _ logits: Tensor, of range: Range<Int>, wantsGradient: Bool
  ) -> (losses: [Double], dz: Operand?) {
    let (count, width) = (range.count, weight.outputs)
    let losses = NumberBuffer<Double>(count: count)
    let rounds = wantsGradient && weight.resultPrecision == .bfloat16
    let rounded = BFloat16Matrix(rows: rounds ? count : 0, columns: width) { target in
      withExtendedLifetime(logits) {
        Parallel.forEachRun(of: count, grain: Parallel.rowGrain(width: width)) { run in
          for row in run {
            let line = logits.writable + row * width
            let label = Int(classes[range.lowerBound + row])
            losses.pointer[row] =
              rounds
              ? gradient(line, class: label, into: target + row * width)
              : gradient(line, class: label, into: line)
          }
        }
      }
    }
    if !wantsGradient { return (losses.values, nil) }
    return (losses.values, rounds ? .bfloat16(rounded) : .float32(logits))
  }

  /// The loss of one row of logits, which are used up, and their gradient, which may take their place.
  private func gradient<Element: LaneElement>(
    _ z: UnsafeMutablePointer<Float>, class label: Int, into dz: UnsafeMutablePointer<Element>
  ) -> Double {
    let width = weight.outputs
    let shift = maximumOfVectors(z, count: width)
    let own = z[label] - shift
    let mean =
      labelSmoothing == 0 ? 0 : sumVectors(z, count: width) { $0 - shift } / Float(width)
    var sums = Vector.zero
    forEachVector(width) { i in
      let power = (Vector(z + i) - shift).exponential()
      power.store(z + i)
      sums += power
    } partial: { i, lanes in
      (Vector(z + i, first: lanes) - shift).exponential().store(z + i, first: lanes)
      sums += Vector(z + i, first: lanes)
    }
    let total = sums.laneSum
    let share = 1 / Float(classes.count)
    let (scale, everywhere) = (share / total, share * labelSmoothing / Float(width))
    let atLabel = Vector(repeating: z[label] * scale - everywhere - share * (1 - labelSmoothing))
    forEachVector(width) { i in
      Element.store(Vector(z + i) * scale - everywhere, dz + i)
    } partial: { i, lanes in
      Element.store(Vector(z + i, first: lanes) * scale - everywhere, dz + i, first: lanes)
    }
    Element.store(atLabel, dz + label, first: 1)
    return log(Double(total)) - Double((1 - labelSmoothing) * own + labelSmoothing * mean)
  }
}

extension Tensor {
  /// Multiplies all values in place.
  fileprivate mutating func scale(by factor: Float) {
    if factor == 1 { return }
    let count = self.count
    modify { x in
      Parallel.forEachRun(of: count, grain: 16_384) { run in
        let start = x + run.lowerBound
        mapVectors(start, into: start, count: run.count) { $0 * factor }
      }
    }
  }
}
