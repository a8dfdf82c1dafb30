import Tensors

extension Variable {
  /// The sum of two variables of one shape. Pullback: `da = dy`, `db = dy`.
  public static func + (a: Variable, b: Variable) -> Variable {
    let (aNode, bNode) = (a.node, b.node)
    return .recording(a.value + b.value, from: [a, b]) { dy, gradients in
      gradients.add(dy, to: aNode)
      gradients.add(dy, to: bNode)
    }
  }

  /// The product with a constant. Pullback: `dx = c · dy`.
  public static func * (x: Variable, constant: Float) -> Variable {
    .recording(x.value * constant, from: x) { dy in dy * constant }
  }

  /// Each value divided by one variable of a single value, such as a temperature: `y = x / t`.
  ///
  /// Pullback: `dx = dy / t`, `dt = −sum(dy · y) / t`.
  public func divided(by divisor: Variable) -> Variable {
    let t = divisor.value.scalar
    let y = value * (1 / t)
    let (xNode, divisorNode, shape) = (node, divisor.node, divisor.shape)
    return .recording(y, from: [self, divisor]) { dy, gradients in
      gradients.add(dy * (1 / t), to: xNode)
      gradients.add(
        Tensor(repeating: Float(-(dy * y).sum() / Double(t)), shape: shape), to: divisorNode)
    }
  }

  /// Each row multiplied place by place with one row: `y[i, j] = x[i, j] · s[j]` (LayerScale).
  ///
  /// Pullback: `dx = dy · s`, `ds[j] = sum over i of dy[i, j] · x[i, j]`.
  /// - Parameter scale: `[width]`.
  public func scaledColumns(by scale: Variable) -> Variable {
    let x = value
    let s = scale.value
    precondition(s.count == x.width, "\(s.shape) cannot scale the columns of \(shape)")
    let (xNode, scaleNode) = (node, scale.node)
    return .recording(x.multipliedRows(by: s), from: [self, scale]) { dy, gradients in
      gradients.add(dy.multipliedRows(by: s), to: xNode)
      gradients.add((dy * x).columnSums(), to: scaleNode)
    }
  }

  /// The sum over all values, of shape []. Pullback: `dx = dy` at every place.
  public func sum() -> Variable {
    let shape = self.shape
    return .recording(Tensor(Float(value.sum())), from: self) { dy in
      Tensor(repeating: dy.scalar, shape: shape)
    }
  }

  /// The same values under another shape.
  public func reshaped(_ newShape: [Int]) -> Variable {
    let shape = self.shape
    return .recording(value.reshaped(newShape), from: self) { dy in dy.reshaped(shape) }
  }
}

extension Tensor {
  func multipliedRows(by row: Tensor) -> Tensor {
    Tensors.read(self, row) { x, s in
      Tensor(shape: shape) { y in
        Parallel.forEachRun(of: rowCount, grain: Parallel.rowGrain(width: width)) { run in
          for index in run {
            mapVectors(x + index * width, s, into: y + index * width, count: width) { $0 * $1 }
          }
        }
      }
    }
  }
}
