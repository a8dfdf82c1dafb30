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
        forProducts: true)
      folded = (scale, shift)
    }
  }

  /// The linear map of the norm's output, `[rows, outputs]`.
  public func mapped(by map: Linear, forProducts: Bool = false) -> Variable {
    guard let folded else { return map(rows, forProducts: forProducts) }
    let weight = map.weight.variable
    let shift = weight.product(folded.shift.reshaped([folded.shift.value.count, 1]))
    return rows.linear(
      Weight(weight.scaledColumns(by: folded.scale), in: map.weight.precision),
      bias: map.bias.variable + shift.reshaped(map.bias.shape), forProducts: forProducts)
  }
}
