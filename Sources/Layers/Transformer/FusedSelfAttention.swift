import Autograd
import Tensors

/// Self-attention with its linear maps.
public protocol SelfAttention: Module {
  /// - Parameter x: `[rows, width]`.
  /// - Returns: `[rows, width]`.
  func callAsFunction(_ x: Variable, layout: AttentionLayout) -> Variable
}

/// Self-attention whose three maps are kept as one, as EVA's files have it.
public struct FusedSelfAttention: SelfAttention {
  /// The rows of the queries' map, of the keys' and of the values', `[3 · width, width]`.
  public let qkv: Linear
  public let output: Linear
  let heads: AttentionHeads

  /// - Parameter deviation: The standard deviation of new weights.
  public init(
    width: Int, heads: AttentionHeads, deviation: Float, _ initialiser: ParameterInitialiser
  ) {
    let start = Linear.Start.normal(deviation: deviation)
    qkv = Linear(inputs: width, outputs: 3 * width, start: start, initialiser)
    output = Linear(inputs: width, outputs: width, start: start, initialiser)
    self.heads = heads
  }

  public func callAsFunction(_ x: Variable, layout: AttentionLayout) -> Variable {
    let width = x.shape[1]
    let biases = qkv.bias?.variable.reshaped([3, width])
    // Rows share the storage of the whole, so a mapped file stays where it is.
    func projected(_ part: Int) -> Variable {
      x.linear(
        qkv.weight.weight(ofRows: part * width..<(part + 1) * width),
        bias: biases?.rows(part..<part + 1), inComputePrecision: true)
    }
    let queries = projected(0)
    return output(
      KeyValues(keys: projected(1), values: projected(2))
        .attended(by: queries, layout: layout, options: heads.options()), inComputePrecision: true)
  }
}
