import Autograd
import Tensors

/// How rows attend to one another in one pass through a model's blocks: whole sequences packed end to
/// end, or one further row of each sequence.
struct SequencePass {
  private enum Mode {
    /// - Parameter memory: Where keys and values are kept for rows to come.
    case whole(AttentionLayout, memory: SequenceMemory?)
    case step(SequenceMemory)
  }

  private let mode: Mode
  /// The place of each row in its sequence.
  let positions: [Int32]

  /// Whole sequences whose rows see themselves and earlier ones.
  /// - Parameter memory: Where keys and values are kept for rows to come.
  static func causal(_ lengths: [Int], memory: SequenceMemory? = nil) -> SequencePass {
    SequencePass(lengths, isCausal: true, memory: memory)
  }

  /// Whole sequences all of whose rows see one another.
  static func bidirectional(_ lengths: [Int]) -> SequencePass {
    SequencePass(lengths, isCausal: false, memory: nil)
  }

  /// One further row of each sequence of a memory.
  init(step memory: SequenceMemory) {
    mode = .step(memory)
    positions = memory.lengths.map(Int32.init)
  }

  private init(_ lengths: [Int], isCausal: Bool, memory: SequenceMemory?) {
    var start = 0
    let groups = lengths.enumerated().map { index, length in
      defer { start += length }
      let rows = start..<start + length
      let span = AttentionLayout.QuerySpan(
        rows: rows, visibleKeys: isCausal ? 1 : length, isCausal: isCausal,
        place: RandomPlace(sample: UInt32(index), position: 0))
      return AttentionLayout.Group(queries: [span], keys: [rows])
    }
    mode = .whole(AttentionLayout(groups: groups), memory: memory)
    positions = lengths.flatMap { (0..<$0).map(Int32.init) }
  }

  /// Self-attention of one layer.
  /// - Parameters:
  ///   - queries: `[rows, heads · head width]`.
  ///   - keys: `[rows, key heads · head width]`.
  ///   - values: Of the keys' shape.
  /// - Returns: The queries' shape.
  func attention(
    layer: Int, _ queries: Variable, keys: Variable, values: Variable, options: AttentionOptions
  ) -> Variable {
    switch mode {
    case .whole(let layout, let memory):
      memory?.remember(layer: layer, keys: keys.value, values: values.value)
      return queries.attention(keys: keys, values: values, layout: layout, options: options)
    case .step(let memory):
      memory.append(layer: layer, keys: keys.value, values: values.value)
      return Variable(memory.attention(layer: layer, queries.value, options: options))
    }
  }
}

/// What the rows of decoders attend to besides their own sequence: the encoded input.
enum CrossPass {
  /// Whole sequences: the encoder's states, packed, and which decoder rows see which.
  case whole(states: Variable, AttentionLayout)
  /// One further row of each sequence; the keys and values of the input are remembered.
  case step(SequenceMemory)

  /// - Parameters:
  ///   - input: The encoder's states.
  ///   - lengths: The rows of each decoder sequence.
  static func whole(_ input: PackedRows, lengths: [Int]) -> CrossPass {
    var start = 0
    let groups = zip(lengths, input.ranges).map { length, keys in
      defer { start += length }
      let span = AttentionLayout.QuerySpan(
        rows: start..<start + length, visibleKeys: keys.count)
      return AttentionLayout.Group(queries: [span], keys: [keys])
    }
    return .whole(states: input.rows, AttentionLayout(groups: groups))
  }

  /// Cross-attention of one layer.
  /// - Parameter keyValues: Computes keys and values of the encoder's states.
  func attention(
    layer: Int, _ queries: Variable, options: AttentionOptions,
    keyValues: (Variable) -> (keys: Variable, values: Variable)
  ) -> Variable {
    switch self {
    case .whole(let states, let layout):
      let (keys, values) = keyValues(states)
      return queries.attention(keys: keys, values: values, layout: layout, options: options)
    case .step(let memory):
      return Variable(memory.attention(layer: layer, queries.value, options: options))
    }
  }
}
