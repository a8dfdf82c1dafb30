import Autograd
import Tensors

/// The heads of an attention.
public struct AttentionHeads: Equatable, Sendable {
  public let count: Int
  /// Heads of keys and values; several of queries share one (Ainslie et al. 2023).
  public let keyCount: Int
  /// The width of one head.
  public let width: Int
  /// Whether scores are divided by the root of a head's width. T5 draws its queries that much smaller
  /// instead (Raffel et al. 2020).
  public let scalesScores: Bool

  public init(_ count: Int, keyCount: Int? = nil, width: Int, scalesScores: Bool = true) {
    self.count = count
    self.keyCount = keyCount ?? count
    self.width = width
    self.scalesScores = scalesScores
  }

  public func options(dropout: Dropout? = nil, bias: RelativeBias? = nil) -> AttentionOptions {
    AttentionOptions(
      headCount: count, scale: scalesScores ? 1 / Float(width).squareRoot() : 1, dropout: dropout,
      bias: bias)
  }
}

/// Multi-head attention with its linear maps (Vaswani et al. 2017, §3.2.2).
public struct MultiHeadAttention: SelfAttention {
  public let query: Linear
  public let key: Linear
  public let value: Linear
  public let output: Linear
  public let heads: AttentionHeads

  /// - Parameters:
  ///   - width: Of the rows that look, and of the result.
  ///   - keyInputs: The width of the rows that they look at; nil for the same.
  ///   - deviation: The standard deviation of new weights.
  public init(
    width: Int, keyInputs: Int? = nil, heads: AttentionHeads, hasBias: Bool = true,
    deviation: Float, _ initialiser: ParameterInitialiser
  ) {
    func map(_ inputs: Int, _ outputs: Int, _ deviation: Float) -> Linear {
      Linear(
        inputs: inputs, outputs: outputs, hasBias: hasBias, start: .normal(deviation: deviation),
        initialiser)
    }
    let (inner, keyWidth) = (heads.count * heads.width, heads.keyCount * heads.width)
    query = map(
      width, inner, heads.scalesScores ? deviation : deviation / Float(heads.width).squareRoot())
    key = map(keyInputs ?? width, keyWidth, deviation)
    value = map(keyInputs ?? width, keyWidth, deviation)
    output = map(inner, width, deviation)
    self.heads = heads
  }

  public func callAsFunction(_ x: Variable, layout: AttentionLayout) -> Variable {
    let queries = query(x, inComputePrecision: true)
    return output(
      keyValues(of: x).attended(by: queries, layout: layout, options: heads.options()),
      inComputePrecision: true)
  }

  /// Attention to other rows.
  /// - Parameters:
  ///   - x: The rows that look, `[rows, width]`.
  ///   - source: What they look at.
  ///   - dropout: Acts on the attention probabilities.
  /// - Returns: `[rows, width]`.
  public func callAsFunction(
    _ x: Variable, to source: AttentionSource, layout: AttentionLayout, dropout: Dropout?
  ) -> Variable {
    let queries = query(x, inComputePrecision: true)
    let options = heads.options(dropout: dropout)
    let attended =
      switch source {
      case .keyValues(let memory): memory.attended(by: queries, layout: layout, options: options)
      case .rows(let rows):
        rows.attended(by: queries, key: key, value: value, layout: layout, options: options)
      }
    return output(attended, inComputePrecision: true)
  }

  /// The keys and values of some rows.
  public func keyValues(of x: Variable) -> KeyValues {
    KeyValues(keys: key(x, inComputePrecision: true), values: value(x, inComputePrecision: true))
  }

  /// What is computed of rows before others look at them.
  /// - Parameters:
  ///   - keyRows: How many of the rows one row sees.
  ///   - queryRows: How many rows look at these, in all passes together.
  public func source(of x: NormalisedRows, keyRows: Int, queryRows: Int) -> AttentionSource {
    if x.areBetterAbsorbed(in: key, queryRows: queryRows, keyRows: keyRows, headCount: heads.count)
    {
      return .rows(x)
    }
    return .keyValues(
      KeyValues(
        keys: x.mapped(by: key, inComputePrecision: true),
        values: x.mapped(by: value, inComputePrecision: true)))
  }
}

/// What an attention looks at.
public enum AttentionSource {
  case keyValues(KeyValues)
  /// Rows whose keys and values are not computed: the attention absorbs their maps.
  case rows(NormalisedRows)
}

/// Keys and values of one attention, each `[rows, key heads · head width]`.
public struct KeyValues {
  public let keys: Variable
  public let values: Variable

  public init(keys: Variable, values: Variable) {
    (self.keys, self.values) = (keys, values)
  }

  /// What queries find here (`Variable.attention`).
  /// - Returns: The queries' shape.
  public func attended(
    by queries: Variable, layout: AttentionLayout, options: AttentionOptions
  ) -> Variable {
    queries.attention(keys: keys, values: values, layout: layout, options: options)
  }

  /// These rows after those of `past`.
  public func following(_ past: KeyValues) -> KeyValues {
    KeyValues(
      keys: .concatenatedRows([past.keys, keys]), values: .concatenatedRows([past.values, values]))
  }
}
