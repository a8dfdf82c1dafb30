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

/// A bias of the scores that depends on the head and the distance alone (Raffel et al. 2020, §2.1).
public struct RelativeBias {
  /// `[buckets, heads]`.
  public let table: Variable
  /// The row of the table for a distance: the key's position less the query's.
  public let bucket: @Sendable (_ distance: Int) -> Int

  public init(table: Variable, bucket: @escaping @Sendable (_ distance: Int) -> Int) {
    self.table = table
    self.bucket = bucket
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
    let shape = AttentionShape(
      queries: self.shape, keys: keys.shape, values: values.shape, layout: layout,
      headCount: options.headCount)
    // The kernel in bfloat16 has no gradient of biases, which frozen models do not want. Without
    // the processor's instructions for it, float32 is faster.
    if values.isRounded, TiledProduct.isNative, shape.headWidth % 2 == 0,
      !(options.bias?.table.needsGradient ?? false)
    {
      return roundedAttention(keys: keys, values: values, shape, layout: layout, options)
    }
    let pass = AttentionPass(
      shape: shape, layout: layout, options: options, queries: value, keys: keys.value,
      values: values.value)
    let parents = [self, keys, values, options.bias?.table]
    let (y, logSums) = pass.forward()
    return .recording(y, from: parents) { [self] dy, gradients in
      let partialBias = pass.emptyBiasGradients()
      gradients.accumulateSparse(intoAll: [self, keys, values]) { targets in
        pass.backward(
          dy: dy, y: y, logSums: logSums, dq: targets[0], dk: targets[1], dv: targets[2],
          partialBias: partialBias)
      }
      if let table = options.bias?.table, table.needsGradient {
        gradients.add(pass.biasGradient(partialBias), to: table.node)
      }
    }
  }

  /// Attention whose products are made in bfloat16.
  private func roundedAttention(
    keys: Variable, values: Variable, _ shape: AttentionShape, layout: AttentionLayout,
    _ options: AttentionOptions
  ) -> Variable {
    let pass = RoundedAttentionPass(
      shape: shape, layout: layout, options: options, queries: inBFloat16, keys: keys.inBFloat16,
      values: values.inBFloat16)
    let parents = [self, keys, values]
    let (y, logSums) = pass.forward(keepsSums: parents.contains(where: \.needsGradient))
    let nodes = parents.map(\.node)
    return .recording(
      .bfloat16(y), shape: self.shape, from: parents, operation: "attention"
    ) { dy, gradients in
      let (dq, dk, dv) = pass.backward(dy: dy.rounded, y: y, logSums: logSums)
      for (gradient, node) in zip([dq, dk, dv], nodes) {
        gradients.addFactor(.bfloat16(gradient), to: node)
      }
    }
  }
}

/// The sizes of one attention, checked.
struct AttentionShape {
  let width: Int
  let keyWidth: Int
  let headCount: Int
  let keyHeadCount: Int
  let headWidth: Int
  let queryRows: Int
  let keyRows: Int

  /// - Parameters: The shapes of queries, keys and values.
  init(queries: [Int], keys: [Int], values: [Int], layout: AttentionLayout, headCount: Int) {
    width = queries.last ?? 1
    keyWidth = keys.last ?? 1
    self.headCount = headCount
    precondition(width % headCount == 0, "\(headCount) heads do not divide a width of \(width)")
    headWidth = width / headCount
    precondition(
      keys == values && keyWidth % headWidth == 0,
      "keys \(keys) and values \(values) do not go with queries \(queries)")
    keyHeadCount = keyWidth / headWidth
    precondition(
      keyHeadCount > 0 && headCount % keyHeadCount == 0,
      "\(headCount) query heads cannot share \(keyHeadCount) key heads")
    queryRows = queries.dropLast().reduce(1, *)
    keyRows = keys.dropLast().reduce(1, *)
    let extent = layout.extent
    precondition(
      extent.queries <= queryRows && extent.keys <= keyRows,
      "the layout reaches query row \(extent.queries) and key row \(extent.keys), beyond queries "
        + "\(queries) or keys \(keys)")
  }

  var headsPerKeyHead: Int { headCount / keyHeadCount }
}
