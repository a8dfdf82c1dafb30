import Autograd
import Layers
import Tensors

/// How rows attend to one another in one pass through a model's blocks: whole sequences packed end to
/// end, or one further row of each sequence.
struct SequencePass {
  private enum Mode {
    /// - Parameter memory: Where keys and values are kept for rows to come.
    case whole(AttentionLayout, memory: KVCache?)
    case step(KVCache)
  }

  private var mode: Mode
  /// The place of each row in its sequence.
  let positions: [Int32]
  /// The rows whose outputs are read; nil for all.
  private let read: OutputRows?
  /// The rows that look at others in the present layer; nil for all.
  private var looking: OutputRows?
  /// The number of the present layer.
  private(set) var layer = 0

  /// Whole sequences whose rows see themselves and earlier ones.
  /// - Parameters:
  ///   - memory: Where keys and values are kept for rows to come.
  ///   - read: The rows whose outputs are read; nil for all.
  static func causal(
    _ lengths: [Int], memory: KVCache? = nil, reading read: OutputRows? = nil
  ) -> SequencePass {
    SequencePass(lengths, isCausal: true, memory: memory, reading: read)
  }

  /// Whole sequences all of whose rows see one another.
  static func bidirectional(_ lengths: [Int]) -> SequencePass {
    SequencePass(lengths, isCausal: false, memory: nil, reading: nil)
  }

  /// One further row of each sequence of a memory.
  init(step memory: KVCache) {
    mode = .step(memory)
    positions = memory.lengths.map(Int32.init)
    read = nil
  }

  private init(
    _ lengths: [Int], isCausal: Bool, memory: KVCache?, reading read: OutputRows?
  ) {
    let groups = lengths.consecutiveRanges().enumerated().map { index, rows in
      let span = AttentionLayout.QuerySpan(
        rows: rows, visibleKeys: isCausal ? 1 : rows.count, isCausal: isCausal,
        place: RandomPlace(sample: UInt32(index), position: 0))
      return AttentionLayout.Group(queries: [span], keys: [rows])
    }
    mode = .whole(AttentionLayout(groups: groups), memory: memory)
    positions = lengths.flatMap { (0..<$0).map(Int32.init) }
    self.read = read
  }

  /// The pass as a layer makes it: in the last one only rows that are read look at others.
  func inLayer(_ layer: Int, of layers: Int) -> SequencePass {
    var pass = self
    pass.layer = layer
    if let read, layer == layers - 1, case .whole(let layout, let memory) = mode {
      pass.mode = .whole(read.of(layout), memory: memory)
      pass.looking = read
    }
    return pass
  }

  /// The rows that look at others in the present layer.
  /// - Parameter x: All rows, `[rows, width]`.
  func looking(_ x: Variable) -> Variable { looking?.of(x) ?? x }

  /// The turns of the rows that look at others in the present layer.
  func looking(_ rotation: RotaryPositions) -> RotaryPositions {
    looking.map { rotation.rows($0.indices) } ?? rotation
  }

  /// Self-attention of the present layer.
  /// - Parameters:
  ///   - queries: Of the rows that look, `[rows, heads · head width]`.
  ///   - own: The keys and values of all rows.
  /// - Returns: The queries' shape.
  fileprivate func attention(
    _ queries: Variable, to own: KeyValues, _ options: AttentionOptions
  ) -> Variable {
    switch mode {
    case .whole(let layout, let memory):
      memory?.remember(layer: layer, keys: own.keys.value, values: own.values.value)
      return own.attended(by: queries, layout: layout, options: options)
    case .step(let memory):
      memory.append(layer: layer, keys: own.keys.value, values: own.values.value)
      return Variable(memory.attention(layer: layer, queries.value, options: options))
    }
  }
}

/// What the rows of decoders attend to besides their own sequence: the encoded input.
enum CrossPass {
  /// Whole sequences: the encoder's states, packed, and which decoder rows see which.
  case whole(states: Variable, AttentionLayout)
  /// One further row of each sequence; the keys and values of the input are remembered.
  case step(KVCache)

  /// - Parameters:
  ///   - input: The encoder's states.
  ///   - lengths: The rows of each decoder sequence.
  static func whole(_ input: PackedRows, lengths: [Int]) -> CrossPass {
    let groups = zip(lengths.consecutiveRanges(), input.ranges).map { rows, keys in
      AttentionLayout.Group(queries: [.init(rows: rows, visibleKeys: keys.count)], keys: [keys])
    }
    return .whole(states: input.rows, AttentionLayout(groups: groups))
  }
}

extension MultiHeadAttention {
  /// Self-attention in one layer of a pass.
  /// - Parameters:
  ///   - x: All rows, `[rows, width]`.
  ///   - rotation: Turns the queries and keys of all rows.
  ///   - bias: Added to the scores.
  /// - Returns: Of the rows that look at others, `[rows, width]`.
  func callAsFunction(
    _ x: Variable, _ pass: SequencePass, rotation: RotaryPositions? = nil,
    bias: RelativeBias? = nil
  ) -> Variable {
    var queries = query(pass.looking(x), inComputePrecision: true)
    if let rotation { queries = queries.rotated(by: pass.looking(rotation)) }
    var keys = key(x, inComputePrecision: true)
    if let rotation { keys = keys.rotated(by: rotation) }
    let own = KeyValues(keys: keys, values: value(x, inComputePrecision: true))
    return output(pass.attention(queries, to: own, heads.options(bias: bias)))
  }

  /// Cross-attention in one layer of a pass.
  func callAsFunction(_ x: Variable, _ cross: CrossPass, layer: Int) -> Variable {
    let queries = query(x, inComputePrecision: true)
    let options = heads.options()
    switch cross {
    case .whole(let states, let layout):
      return output(
        keyValues(of: states).attended(by: queries, layout: layout, options: options))
    case .step(let memory):
      return output(Variable(memory.attention(layer: layer, queries.value, options: options)))
    }
  }
}
