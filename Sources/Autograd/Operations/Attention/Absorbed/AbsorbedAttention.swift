import Tensors

/// A linear map of attention's keys or values that is not carried out: the queries and the results go
/// through it instead.
public struct AbsorbedMap {
  /// `[heads · head width, inputs]`.
  public let weight: Weight
  /// `[heads · head width]`.
  public let bias: Variable

  public init(weight: Weight, bias: Variable) {
    (self.weight, self.bias) = (weight, bias)
  }
}

/// When attention had better absorb the maps of its keys and values.
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

  /// Whether there are kernels for weights that are multiplied in this precision. oneDNN's products of
  /// large matrices by AMX are so much faster than tiles that absorbing would not pay.
  public static func isPossible(
    in precision: ProductPrecision, inputs: Int, width: Int, headCount: Int
  ) -> Bool {
    precision == .float32
      || precision == .bfloat16 && TiledProduct.isPreferred && inputs % 2 == 0
        && width / headCount % 2 == 0
  }
}

extension Weight {
  /// The precision in which attention would multiply it; nil if it cannot absorb it.
  public var absorbablePrecision: ProductPrecision? {
    switch absorbable {
    case .float32: .float32
    case .bfloat16: .bfloat16
    case nil: nil
    }
  }

  /// The numbers that are multiplied, if they lie in memory as such.
  fileprivate var absorbable: ProductFactor? {
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
  /// `dp = dropout(db · xᵀ + dy · bv)`, `ds = scale · p · (dp − sum(p · dp))`, `da = ds · x`,
  /// `dq = da · Wkᵀ`, `dWk = qᵀ · da`. p and b are kept.
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
    guard let keyWeight = key.weight.absorbable, let valueWeight = value.weight.absorbable else {
      preconditionFailure("a weight that cannot be absorbed")
    }
    precondition(!x.needsGradient, "rows whose gradient is wanted cannot be absorbed")
    precondition(options.bias == nil, "absorbed attention takes no bias of the scores")
    let sizes = AbsorbedSizes(
      queries: shape, features: x.shape, key: key, value: value, layout: layout,
      headCount: options.headCount)
    switch (keyWeight, valueWeight) {
    case (.bfloat16, .bfloat16):
      return absorbed(
        AbsorbedAttentionPass<BFloat16>(
          sizes: sizes, layout: layout, options: options, queries: .bfloat16(inBFloat16),
          features: .bfloat16(x.inBFloat16), keyWeight: keyWeight, valueWeight: valueWeight,
          valueBias: value.bias.value), key: key, value: value)
    case (.float32, .float32):
      return absorbed(
        AbsorbedAttentionPass<Float>(
          sizes: sizes, layout: layout, options: options, queries: .float32(self.value),
          features: .float32(x.value), keyWeight: keyWeight, valueWeight: valueWeight,
          valueBias: value.bias.value), key: key, value: value)
    default: preconditionFailure("weights of two precisions")
    }
  }

  private func absorbed<Number>(
    _ pass: AbsorbedAttentionPass<Number>, key: AbsorbedMap, value: AbsorbedMap
  ) -> Variable {
    let (y, kept) = pass.forward()
    let parents = [self, key.weight.variable, key.bias, value.weight.variable, value.bias]
    let nodes = parents.map { $0?.node }
    return .recording(
      y, shape: shape, from: parents, operation: "attention to features"
    ) { dy, gradients in
      let values = dy.tensor([pass.sizes.rows, pass.sizes.width])
      let dy = Number.factor(dy)
      let da = pass.backward(dy: dy, values: values, kept: kept)
      gradients.addFactor(pass.queryGradient(da), to: nodes[0])
      gradients.accumulate(into: nodes[1]) { pass.addKeyWeightGradient(da, to: $0, keeping: $1) }
      gradients.add(.zeros([pass.sizes.width]), to: nodes[2])
      gradients.accumulate(into: nodes[3]) {
        pass.addValueWeightGradient(dy, kept, to: $0, keeping: $1)
      }
      gradients.add(pass.valueBiasGradient(values, kept), to: nodes[4])
    }
  }
}

/// The sizes of one absorbed attention, checked.
struct AbsorbedSizes {
  let rows: Int
  let width: Int
  let headCount: Int
  let headWidth: Int
  /// The width of what keys and values would be computed from.
  let inputs: Int
  /// From one row of scores to the next: the most keys, up to a multiple of sixteen.
  let line: Int

  init(
    queries: [Int], features: [Int], key: AbsorbedMap, value: AbsorbedMap, layout: AttentionLayout,
    headCount: Int
  ) {
    rows = queries.dropLast().reduce(1, *)
    width = queries.last ?? 1
    inputs = features.last ?? 1
    self.headCount = headCount
    headWidth = width / headCount
    precondition(width % headCount == 0, "\(headCount) heads do not divide a width of \(width)")
    for map in [key, value] {
      let matrix = map.weight.matrix
      precondition(
        [matrix.outputs, matrix.inputs] == [width, inputs] && map.bias.value.count == width,
        "a weight [\(matrix.outputs), \(matrix.inputs)] and a bias \(map.bias.shape) do not go with "
          + "queries \(queries) and rows \(features)")
    }
    let keyRows = features.dropLast().reduce(1, *)
    let extent = layout.extent
    precondition(
      extent.queries <= rows && extent.keys <= keyRows
        && layout.groups.allSatisfy { $0.keys.count == 1 },
      "the layout does not go with queries \(queries) and one run each of the rows \(features)")
    line = ((layout.groups.map(\.keyCount).max() ?? 0) + 15) / 16 * 16
  }

  /// The numbers in one query row's places of all heads, each `inputs` wide.
  var step: Int { headCount * inputs }
}
