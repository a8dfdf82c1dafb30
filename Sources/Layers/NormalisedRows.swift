import Autograd
import Tensors

/// Rows after a layer normalisation, as linear maps read them.
///
/// The norm's γ and β may be folded into each map: `W · (γ · x̂ + β) + b = (W · γ) · x̂ + (W · β + b)`.
/// Where nothing before the norm is trained, the gradients of γ and β then come from those of the
/// weights, and none of the rows is computed: a third of a map's work.
public struct NormalisedRows {
  /// `[rows, width]`: the norm's output, or x̂ where γ and β are folded.
  private let rows: Variable
  private let folded: (scale: Variable, shift: Variable)?

  /// - Parameter x: `[rows, width]`.
  public init(_ x: Variable, _ norm: LayerNorm) {
    let (scale, shift) = (norm.weight.variable, norm.bias.variable)
    if x.needsGradient || !(scale.needsGradient || shift.needsGradient) {
      rows = norm(x)
      folded = nil
    } else {
      let ones = Variable(Tensor(repeating: 1, shape: scale.shape))
      let zeros = Variable(Tensor.zeros(shift.shape))
      rows = x.layerNormalised(
        gamma: ones, beta: zeros, epsilon: norm.epsilon, precision: norm.weight.precision,
        inComputePrecision: true)
      folded = (scale, shift)
    }
  }

  /// The linear map of the norm's output, `[rows, outputs]`.
  public func mapped(by map: Linear, inComputePrecision: Bool = false) -> Variable {
    rows.linear(weight(of: map), bias: bias(of: map), inComputePrecision: inComputePrecision)
  }

  /// W, or W · γ where γ is folded.
  private func weight(of map: Linear) -> Weight {
    guard let folded else { return map.weight.weight }
    return Weight(
      map.weight.variable.scaledColumns(by: folded.scale), in: map.weight.precision)
  }

  /// b, or W · β + b where β is folded.
  private func bias(of map: Linear) -> Variable? {
    guard let folded else { return map.bias?.variable }
    let shift = map.weight.variable.product(
      folded.shift.reshaped([folded.shift.value.count, 1])
    ).reshaped([map.weight.shape[0]])
    return map.bias.map { $0.variable + shift } ?? shift
  }

  /// Multi-head attention to the keys and values that two maps would make of the norm's output,
  /// computing neither.
  /// - Parameter queries: `[query rows, outputs]`.
  /// - Returns: The queries' shape.
  public func attended(
    by queries: Variable, key: Linear, value: Linear, layout: AttentionLayout,
    options: AttentionOptions
  ) -> Variable {
    let none = Variable(Tensor.zeros([key.weight.shape[0]]))
    // β adds the same to all scores of a row, which the softmax does not see: no bias for the keys.
    return queries.attention(
      to: rows, key: AbsorbedMap(weight: weight(of: key), bias: key.bias?.variable ?? none),
      value: AbsorbedMap(weight: weight(of: value), bias: bias(of: value) ?? none),
      layout: layout, options: options)
  }

  /// Whether `attended(by:…)` is possible and takes less than keys and values computed once.
  /// - Parameters:
  ///   - map: That of the keys; the values' is like it.
  ///   - queryRows: How many query rows read every `keyRows` rows, in all passes together.
  public func areBetterAbsorbed(
    in map: Linear, queryRows: Int, keyRows: Int, headCount: Int
  ) -> Bool {
    let (width, inputs) = (map.weight.shape[0], map.weight.shape[1])
    guard !rows.needsGradient,
      AbsorbedAttention.isCheaper(
        queryRows: queryRows, keyRows: keyRows, inputs: inputs, width: width, headCount: headCount)
    else { return false }
    // A folded weight is made of the map's values, whatever form the map would multiply them in.
    let precision = folded == nil ? map.weight.weight.absorbablePrecision : map.weight.precision
    guard let precision else { return false }
    return FusedProducts.canAbsorb(in: precision, inputs: inputs, headWidth: width / headCount)
  }
}
