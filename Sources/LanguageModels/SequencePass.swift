import Autograd
import Layers
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
  /// The rows whose outputs are read; nil for all.
  private let read: ReadRows?
  /// The rows that look at others in the present layer; nil for all.
  private let looking: ReadRows?

  /// Whole sequences whose rows see themselves and earlier ones.
  /// - Parameters:
  ///   - memory: Where keys and values are kept for rows to come.
  ///   - read: The rows whose outputs are read; nil for all.
  static func causal(
    _ lengths: [Int], memory: SequenceMemory? = nil, reading read: ReadRows? = nil
  ) -> SequencePass {
    SequencePass(lengths, isCausal: true, memory: memory, reading: read)
  }

  /// Whole sequences all of whose rows see one another.
  static func bidirectional(_ lengths: [Int]) -> SequencePass {
    SequencePass(lengths, isCausal: false, memory: nil, reading: nil)
  }

  /// One further row of each sequence of a memory.
  init(step memory: SequenceMemory) {
    self.init(
      .step(memory), positions: memory.lengths.map(Int32.init), read: nil, looking: nil)
  }

  private init(_ mode: Mode, positions: [Int32], read: ReadRows?, looking: ReadRows?) {
    self.mode = mode
    self.positions = positions
    self.read = read
    self.looking = looking
  }

  private init(
    _ lengths: [Int], isCausal: Bool, memory: SequenceMemory?, reading read: ReadRows?
  ) {
    var start = 0
    let groups = lengths.enumerated().map { index, length in
      defer { start += length }
      let rows = start..<start + length
      let span = AttentionLayout.QuerySpan(
        rows: rows, visibleKeys: isCausal ? 1 : length, isCausal: isCausal,
        place: RandomPlace(sample: UInt32(index), position: 0))
      return AttentionLayout.Group(queries: [span], keys: [rows])
    }
    self.init(
      .whole(AttentionLayout(groups: groups), memory: memory),
      positions: lengths.flatMap { (0..<$0).map(Int32.init) }, read: read, looking: nil)
  }

  /// The pass as a layer makes it: in the last one only rows that are read look at others.
  func inLayer(_ layer: Int, of layers: Int) -> SequencePass {
    guard let read, layer == layers - 1, case .whole(let layout, let memory) = mode else {
      return self
    }
    return SequencePass(
      .whole(read.of(layout), memory: memory), positions: positions, read: read, looking: read)
  }

  /// The rows that look at others in the present layer.
  /// - Parameter x: All rows, `[rows, width]`.
  func looking(_ x: Variable) -> Variable { looking?.of(x) ?? x }

  /// The turns of the rows that look at others in the present layer.
  func looking(_ rotation: RotaryPositions) -> RotaryPositions {
    looking.map { rotation.rows($0.indices) } ?? rotation
  }

  /// Self-attention of one layer.
  /// - Parameters:
  ///   - queries: Of the rows that look, `[rows, heads · head width]`.
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
