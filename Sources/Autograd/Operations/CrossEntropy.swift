import Glibc
import Tensors

extension Variable {
  /// The mean cross-entropy between rows of logits and target distributions:
  /// `loss = mean over rows of (logSumExp(z) · sum(t) − sum(t · z))`.
  ///
  /// Pullback: `dz = (softmax(z) · sum(t) − t) / rows`.
  /// - Parameter targets: A distribution for each row, `[rows, classes]`.
  /// - Returns: A variable of shape [].
  public func crossEntropy(targets: Tensor) -> Variable {
    precondition(
      targets.count == value.count && targets.width == value.width,
      "targets of shape \(targets.shape) for logits of shape \(shape)")
    let logits = value
    let (rows, width) = (logits.rowCount, logits.width)
    precondition(rows > 0, "the mean over no rows is not defined")
    let losses = NumberBuffer<Double>(count: rows)
    // The gradient is made in the same pass: rows of logits are then read once.
    var gradient = targets.reshaped(logits.shape).copied()
    gradient.modify { targets in
      logits.read { logits in
        Parallel.forEachRun(of: rows, grain: Parallel.rowGrain(width: width)) { run in
          for row in run {
            losses.pointer[row] = crossEntropyRow(
              logits + row * width, target: targets + row * width, width: width, rows: rows)
          }
        }
      }
    }
    let loss = Float(losses.values.reduce(0, +) / Double(rows))
    return .recording(Tensor(loss), from: self) { [gradient] dy in gradient * dy.scalar }
  }

  /// The mean cross-entropy between rows of logits and class numbers. For the many classes that a
  /// linear map makes, such as words, `linearCrossEntropy` takes less memory.
  /// - Parameter classes: One class for each row.
  /// - Returns: A variable of shape [].
  public func crossEntropy(classes: [Int32]) -> Variable {
    let width = value.width
    precondition(
      classes.count == value.rowCount, "\(classes.count) classes for logits of shape \(shape)")
    precondition(
      classes.allSatisfy { $0 >= 0 && $0 < width }, "a class lies outside 0..<\(width)")
    var targets = Tensor.zeros([classes.count, width])
    targets.modify { targets in
      for (row, label) in classes.enumerated() { targets[row * width + Int(label)] = 1 }
    }
    return crossEntropy(targets: targets)
  }
}

/// The loss of one row; its target is replaced by its gradient.
private func crossEntropyRow(
  _ logits: UnsafePointer<Float>, target: UnsafeMutablePointer<Float>, width: Int, rows: Int
) -> Double {
  let shift = maximumOfVectors(logits, count: width)
  let total = sumVectors(logits, count: width) { ($0 - shift).exponential() }
  let mass = sumVectors(target, count: width) { $0 }
  let dot = sumVectors(target, logits, count: width) { $0 * ($1 - shift) }
  let loss = Double(mass) * Double(log(total)) - Double(dot)
  let (inverse, share) = (mass / total, 1 / Float(rows))
  mapVectors(logits, target, into: target, count: width) { z, t in
    ((z - shift).exponential() * inverse - t) * share
  }
  return loss
}
