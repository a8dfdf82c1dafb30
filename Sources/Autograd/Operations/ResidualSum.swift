import Tensors

extension Variable {
  /// The end of a block that adds to what it was given: `y = x + h`, or `y[i, j] = x[i, j] + h[i, j] · s[j]`
  /// (LayerScale, Touvron et al. 2021).
  ///
  /// Pullback: `dx = dy`, `dh = dy · s`, `ds[j] = sum over i of dy[i, j] · h[i, j]`.
  /// - Parameters:
  ///   - branch: `h`, of the receiver's shape.
  ///   - scale: `s`, `[width]`.
  public func adding(_ branch: Variable, scaledBy scale: Variable? = nil) -> Variable {
    precondition(shape == branch.shape, "\(branch.shape) cannot be added to \(shape)")
    precondition(
      scale.map { $0.shape == [width] } ?? true, "\(scale?.shape ?? []) cannot scale \(shape)")
    let h = branch.kept
    let s = scale?.value
    let y = value.adding(h, scaledBy: s)
    let (node, branchNode, scaleNode, shape) = (self.node, branch.node, scale?.node, self.shape)
    return .recording(y, from: [self, branch, scale]) { dy, gradients in
      gradients.add(dy, to: node)
      gradients.add(s.map { dy.multipliedRows(by: $0) } ?? dy, to: branchNode)
      gradients.add((dy * h.tensor(shape)).columnSums(), to: scaleNode)
    }
  }
}

extension Tensor {
  /// The receiver plus another's values, each column times its factor if there are any.
  fileprivate func adding(_ other: Operand, scaledBy factors: Tensor?) -> Tensor {
    switch other {
    case .float32(let h): h.read { adding($0, scaledBy: factors) }
    case .bfloat16(let h): h.read { adding($0.pointer, scaledBy: factors) }
    }
  }

  private func adding<Element: LaneElement>(
    _ h: UnsafePointer<Element>, scaledBy factors: Tensor?
  ) -> Tensor {
    let width = self.width
    return Tensor(shape: shape) { y in
      Tensors.read(self, factors ?? Tensor(repeating: 1, shape: [width])) { x, s in
        Parallel.forEachRun(of: rowCount, grain: Parallel.rowGrain(width: width)) { run in
          for row in run {
            let (x, h, y) = (x + row * width, h + row * width, y + row * width)
            forEachVector(width) { i in
              Vector(x + i).addingProduct(Element.load(h + i), Vector(s + i)).store(y + i)
            } partial: { i, lanes in
              Vector(x + i, first: lanes)
                .addingProduct(Element.load(h + i, first: lanes), Vector(s + i, first: lanes))
                .store(y + i, first: lanes)
            }
          }
        }
      }
    }
  }
}
