import Tensors

/// A linear map of attention's keys or values that is absorbed: not carried out, but applied to the queries
/// and the results instead ("weight absorption", as in multi-head latent attention, DeepSeek-AI 2024, §2.1.2).
public struct AbsorbedMap {
  /// `[heads · head width, inputs]`.
  public let weight: Weight
  /// `[heads · head width]`.
  public let bias: Variable

  public init(weight: Weight, bias: Variable) {
    (self.weight, self.bias) = (weight, bias)
  }
}

/// When attention should absorb the maps of its keys and values.
public enum AbsorbedAttention {
  /// Whether absorbing takes fewer multiplications, forward and backward, than computing keys and
  /// values once for all that read them.
  ///
  /// With n query rows that read k rows of `inputs` numbers, and h heads whose widths add up to
  /// `width`, keys, values and their weights' gradients take `4 · k · inputs · width`, and attention
  /// `7 · n · k · width`; absorbed it is `6 · n · inputs · width + 4 · n · h · k · inputs`.
  public static func isCheaper(
    queryRows n: Int, keyRows k: Int, inputs: Int, width: Int, headCount: Int
  ) -> Bool {
    let computed = 4 * k * inputs * width + 7 * n * k * width
    let absorbed = 6 * n * inputs * width + 4 * n * headCount * k * inputs
    return absorbed < computed
  }
}

extension Weight {
  /// The precision in which attention would multiply it; nil if it cannot absorb it.
  public var absorbablePrecision: ProductPrecision? { absorbable?.precision }

  /// The numbers that are multiplied, if they lie in memory as such.
  fileprivate var absorbable: Operand? {
    if let dense = matrix as? DenseWeight { return .float32(dense.values) }
    return (matrix as? BFloat16Weight).map { .bfloat16($0.matrix) }
  }
}

extension Variable {
  /// Multi-head attention to `keys = x · Wkᵀ + bk` and `values = x · Wvᵀ + bv` that computes neither:
  /// for a head with queries q, `a = q · Wk`, `p = softmax(scale · a · xᵀ)`, `d = dropout(p)`,
  /// `b = d · x` and `y = b · Wvᵀ + (sum of d) · bv`.
  ///
  /// bk adds the same to all scores of a row, which the softmax does not see: its gradient is zero.
  /// The draws of the dropout are those of `attention(keys:values:)`.
  ///
  /// Pullback: `db = dy · Wv`, `dWv = dyᵀ · b`, `dbv = sum of (sum of d) · dy`,
  /// `dp = db · xᵀ + dy · bv`, `ds = scale · p · (dropout(dp) − sum(d · dp))`, `da = ds · x`,
  /// `dq = da · Wkᵀ`, `dWk = qᵀ · da`. exp(scores) and b are kept.
  /// - Parameters:
  ///   - self: The queries, `[query rows, heads · head width]`.
  ///   - x: What keys and values would be computed from, `[key rows, inputs]`; a constant.
  ///   - layout: With one run of key rows in each group.
  ///   - options: Without a bias of the scores.
  /// - Returns: The queries' shape; rows that the layout leaves out are zero.
  public func attention(
    to x: Variable, key: AbsorbedMap, value: AbsorbedMap, layout: AttentionLayout,
    options: AttentionOptions
  ) -> Variable {
    precondition(!x.needsGradient, "rows whose gradient is wanted cannot be absorbed")
    precondition(options.bias == nil, "absorbed attention takes no bias of the scores")
    let maps = [key, value].map { map in
      guard let weight = map.weight.absorbable else {
        preconditionFailure("a weight that cannot be absorbed")
      }
      precondition(
        [map.weight.matrix.outputs, map.weight.matrix.inputs] == [shape.last, x.shape.last]
          && map.bias.value.count == shape.last,
        "a weight [\(map.weight.matrix.outputs), \(map.weight.matrix.inputs)] and a bias "
          + "\(map.bias.shape) do not go with queries \(shape) and rows \(x.shape)")
      return weight
    }
    func pass<Number>(_ number: Number.Type) -> AbsorbedAttentionPass<Number> {
      AbsorbedAttentionPass(
        queries: self, features: x, keyWeight: maps[0], valueWeight: maps[1],
        valueBias: value.bias.value, layout: layout, options: options)
    }
    switch (maps[0], maps[1]) {
    case (.bfloat16, .bfloat16): return absorbed(pass(BFloat16.self), key, value)
    case (.float32, .float32): return absorbed(pass(Float.self), key, value)
    default: preconditionFailure("weights of two precisions")
    }
  }

  private func absorbed<Number>(
    _ pass: AbsorbedAttentionPass<Number>, _ key: AbsorbedMap, _ value: AbsorbedMap
  ) -> Variable {
    let parents = [self, key.weight.variable, key.bias, value.weight.variable, value.bias]
    let (y, kept) = pass.forward(
      needsGradient: parents.contains { $0?.needsGradient ?? false })
    let nodes = parents.map { $0?.node }
    return .recording(
      y, shape: shape, from: parents, operation: "attention to features"
    ) { [shape] dy, gradients in
      let values = dy.tensor([pass.core.shape.queryRows, shape.last ?? 1])
      let dy = dy.converted(to: Number.self)
      let da = pass.backward(dy: dy, values: values, kept: kept)
      gradients.addFactor(pass.queryGradient(da), to: nodes[0])
      gradients.accumulate(into: nodes[1]) {
        pass.addWeightGradient(pass.queries, da, to: $0, beta: $1)
      }
      gradients.add(.zeros([values.width]), to: nodes[2])
      gradients.accumulate(into: nodes[3]) {
        pass.addWeightGradient(dy, kept.results, to: $0, beta: $1)
      }
      gradients.add(pass.valueBiasGradient(values, kept), to: nodes[4])
    }
  }
}
