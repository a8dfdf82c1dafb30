import Tensors

/// What attention needs beside queries, keys and values.
public struct AttentionOptions {
  /// The number of query heads.
  public var headCount: Int
  /// The factor of the scores, `1/√headWidth` in most models.
  public var scale: Float
  /// Acts on the attention probabilities.
  public var dropout: Dropout?
  /// Added to the scores.
  public var bias: RelativeBias?

  public init(
    headCount: Int, scale: Float, dropout: Dropout? = nil, bias: RelativeBias? = nil
  ) {
    self.headCount = headCount
    self.scale = scale
    self.dropout = dropout.flatMap { $0.rate > 0 ? $0 : nil }
    self.bias = bias
  }
}

extension Variable {
  /// Multi-head attention over packed sequences:
  /// `y = dropout(softmax(scale · q · kᵀ + bias)) · v` within each group of the layout
  /// (Vaswani et al. 2017, §3.2).
  ///
  /// The score matrix is never stored: the backward pass computes the probabilities `p` again from
  /// the row-wise log-sum-exp. With `dp` the gradient of `p`:
  /// `dv = dropout(p)ᵀ · dy`, `ds = p · (dp − sum(dy · y))`, `dq = scale · ds · k`,
  /// `dk = scale · dsᵀ · q`, `dbias[bucket, head] = sum of ds there`.
  /// - Parameters:
  ///   - self: The queries, `[query rows, heads · head width]`.
  ///   - keys: `[key rows, key heads · head width]`; the head count is a multiple of the key
  ///     heads, and neighbouring heads share a key head (Ainslie et al. 2023).
  ///   - values: Of the keys' shape.
  /// - Returns: The queries' shape; rows that the layout leaves out are zero.
  public func attention(
    keys: Variable, values: Variable, layout: AttentionLayout, options: AttentionOptions
  ) -> Variable {
    precondition(
      keys.shape == values.shape, "keys \(keys.shape) do not go with values \(values.shape)")
    let shape = AttentionShape(
      queries: self.shape, keys: keys.shape, layout: layout, headCount: options.headCount)
    switch FusedProducts.precision(
      kept: values.isRounded ? .bfloat16 : .float32, headWidth: shape.headWidth)
    {
    case .bfloat16:
      return attended(
        by: FlashAttention<BFloat16>(shape, layout: layout, options: options), keys, values)
    default:
      return attended(
        by: FlashAttention<Float>(shape, layout: layout, options: options), keys, values)
    }
  }

  private func attended<Number>(
    by attention: FlashAttention<Number>, _ keys: Variable, _ values: Variable
  ) -> Variable {
    let shape = attention.shape
    let bias = attention.biases.flatMap { $0.needsGradient ? $0 : nil }
    let parents = [self, keys, values, attention.options.bias?.table]
    let operands = [self, keys, values].map { $0.operand(Number.self) }
    let needsGradient = parents.contains { $0?.needsGradient ?? false }
    let kept = FlashAttention<Number>.Kept(
      normalisers: Tensor(
        shape: needsGradient ? [shape.queryRows, shape.headCount] : [0]
      ) { _ in })
    let y = Operand.matrices(of: Number.self, [(shape.queryRows, shape.width)]) { y in
      Operand.withNumbers(of: operands, as: Number.self) { x in
        attention.forward(
          .init(q: x[0], k: x[1], v: x[2]), into: y[0], keeping: needsGradient ? kept : nil)
      }
    }[0]
    let nodes = parents.map { $0?.node }
    return .recording(
      y, shape: self.shape, from: parents, operation: "attention"
    ) { dy, gradients in
      let biasSums = bias?.emptyGradient(groups: attention.layout.groups.count)
      let keySizes = (shape.keyRows, shape.keyWidth)
      let found = Operand.matrices(
        of: Number.self, [(shape.queryRows, shape.width), keySizes, keySizes]
      ) { d in
        Operand.withNumbers(of: operands + [dy, y], as: Number.self) { x in
          attention.backward(
            .init(q: x[0], k: x[1], v: x[2]),
            .init(dy: x[3], y: x[4], dq: d[0], dk: d[1], dv: d[2], biases: biasSums), kept: kept)
        }
      }
      for (gradient, node) in zip(found, nodes) { gradients.addFactor(gradient, to: node) }
      if let bias, let biasSums {
        gradients.add(
          bias.tableGradient(biasSums, scale: attention.options.scale), to: nodes[3])
      }
    }
  }

  /// The values as numbers of one kind.
  func operand<Number: FusedNumber>(_ number: Number.Type) -> Operand {
    Number.precision == .bfloat16 ? .bfloat16(inBFloat16) : .float32(value)
  }
}
