import Tensors

extension Variable {
  /// Root-mean-square normalisation: `y = x / √(mean(x²) + ε) · γ` over the last axis
  /// (Zhang and Sennrich 2019).
  ///
  /// With `r = 1 / √(mean(x²) + ε)`, `x̂ = x · r` and `g = dy · γ`, the pullback is
  /// `dx = (g − x̂ · mean(g · x̂)) · r`, `dγ = sum(dy · x̂)`.
  /// - Parameter gamma: `[width]`.
  /// - Returns: A variable of the receiver's shape.
  public func rootMeanSquareNormalised(gamma: Variable, epsilon: Float) -> Variable {
    let x = value
    let width = x.width
    precondition(gamma.value.count == width, "γ \(gamma.shape) does not go with shape \(shape)")
    let scales = x.inverseRootMeanSquares(epsilon: epsilon)
    let y = x.scaledRows(by: scales, columns: gamma.value)
    let (xNode, gammaNode, weights) = (node, gamma.node, gamma.value)
    return .recording(y, from: [self, gamma]) { dy, gradients in
      gradients.add(x.normalisationGradient(dy, scales: scales, gamma: weights), to: xNode)
      gradients.add((dy * x.scaledRows(by: scales, columns: nil)).columnSums(), to: gammaNode)
    }
  }
}

extension Tensor {
  /// `1 / √(mean(x²) + ε)` of each row, `[rows]`.
  fileprivate func inverseRootMeanSquares(epsilon: Float) -> Tensor {
    let width = self.width
    return Tensor(shape: [rowCount]) { scales in
      read { x in
        Parallel.forEachRun(of: rowCount, grain: Parallel.rowGrain(width: width)) { run in
          for row in run {
            let mean = sumVectors(x + row * width, count: width) { $0 * $0 } / Float(width)
            scales[row] = 1 / (mean + epsilon).squareRoot()
          }
        }
      }
    }
  }

  /// Each row times its own scale, and place by place with `columns` where there are any.
  fileprivate func scaledRows(by scales: Tensor, columns: Tensor?) -> Tensor {
    let width = self.width
    return Tensor(shape: shape) { y in
      Tensors.read(self, scales) { x, scales in
        Parallel.forEachRun(of: rowCount, grain: Parallel.rowGrain(width: width)) { run in
          for row in run {
            let (source, target, scale) = (x + row * width, y + row * width, scales[row])
            if let columns {
              columns.read { columns in
                mapVectors(source, columns, into: target, count: width) { $0 * scale * $1 }
              }
            } else {
              mapVectors(source, into: target, count: width) { $0 * scale }
            }
          }
        }
      }
    }
  }

  /// The gradient of the rows (the receiver), given that of their normalised values.
  fileprivate func normalisationGradient(_ dy: Tensor, scales: Tensor, gamma: Tensor) -> Tensor {
    let width = self.width
    return Tensor(shape: shape) { dx in
      Tensors.read(self, dy, scales) { x, dy, scales in
        gamma.read { gamma in
          Parallel.forEachRun(of: rowCount, grain: Parallel.rowGrain(width: width)) { run in
            for row in run {
              let (x, dx, scale) = (x + row * width, dx + row * width, scales[row])
              mapVectors(dy + row * width, gamma, into: dx, count: width) { $0 * $1 }
              let along = sumVectors(dx, x, count: width) { $0 * $1 } / Float(width)
              let share = along * scale * scale
              mapVectors(dx, x, into: dx, count: width) { g, x in (g - x * share) * scale }
            }
          }
        }
      }
    }
  }
}
