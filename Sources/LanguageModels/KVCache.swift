import Autograd
import Glibc
import Tensors

/// The KV cache: keys and values of sequences that grow row by row, layer by layer.
///
/// What sequences have in common, such as the prompt of several beams, is kept once: a sequence that
/// continues another shares its rows until it adds one of its own.
final class KVCache {
  /// One layer of one sequence.
  fileprivate struct Rows {
    /// Rows that came together, `[rows, key width]`, at most one such piece.
    var given: (keys: Tensor, values: Tensor)?
    /// Rows that came one by one after them.
    var keys: [Float] = []
    var values: [Float] = []
  }

  /// By layer, then by sequence.
  private var layers: [[Rows]]
  /// The lengths of the sequences that came as a whole.
  private let givenLengths: [Int]
  /// The rows that each sequence has had so far.
  private(set) var lengths: [Int]

  /// - Parameter lengths: The rows with which the sequences begin.
  init(layers: Int, lengths: [Int]) {
    self.layers = Array(repeating: lengths.map { _ in Rows() }, count: layers)
    givenLengths = lengths
    self.lengths = lengths
  }

  /// Keeps the rows with which the sequences begin, packed end to end.
  func remember(layer: Int, keys: Tensor, values: Tensor) {
    for (sequence, rows) in givenLengths.consecutiveRanges().enumerated() {
      layers[layer][sequence].given = (keys.rows(rows), values.rows(rows))
    }
  }

  /// Sequence i becomes the one that was at `parents[i]`.
  func reorder(_ parents: [Int]) {
    for layer in layers.indices { layers[layer] = parents.map { layers[layer][$0] } }
    lengths = parents.map { lengths[$0] }
  }

  /// One more row of every sequence has gone through all layers.
  func advance() {
    for sequence in lengths.indices { lengths[sequence] += 1 }
  }

  /// Adds one row to each sequence, `[sequences, key width]`.
  func append(layer: Int, keys: Tensor, values: Tensor) {
    let width = keys.width
    read(keys, values) { keys, values in
      for sequence in layers[layer].indices {
        let key = UnsafeBufferPointer(start: keys + sequence * width, count: width)
        let value = UnsafeBufferPointer(start: values + sequence * width, count: width)
        layers[layer][sequence].keys.append(contentsOf: key)
        layers[layer][sequence].values.append(contentsOf: value)
      }
    }
  }

  /// Attention of one row of each sequence to all that is remembered of it (compare
  /// `Variable.attention`).
  /// - Parameter queries: `[sequences, heads · head width]`.
  /// - Returns: The queries' shape.
  func attention(layer: Int, _ queries: Tensor, options: AttentionOptions) -> Tensor {
    let sequences = layers[layer]
    precondition(
      queries.rowCount == sequences.count,
      "queries of shape \(queries.shape) for \(sequences.count) sequences")
    let headWidth = queries.width / options.headCount
    return queries.read { queries in
      Tensor(shape: [sequences.count, options.headCount * headWidth]) { y in
        Parallel.forEach(sequences.count * options.headCount) { task in
          let (sequence, head) = (task / options.headCount, task % options.headCount)
          let place = task * headWidth
          KVCache.attend(
            queries + place, sequences[sequence], head: head, headWidth: headWidth,
            options: options, into: y + place)
        }
      }
    }
  }

  private static func attend(
    _ query: UnsafePointer<Float>, _ rows: Rows, head: Int, headWidth: Int,
    options: AttentionOptions, into y: UnsafeMutablePointer<Float>
  ) {
    y.update(repeating: 0, count: headWidth)
    rows.withPieces { pieces, keyWidth in
      let count = pieces.reduce(0) { $0 + $1.count }
      let column = head * (keyWidth / headWidth) / options.headCount * headWidth
      let softmax = SoftmaxRow(
        visible: count, length: SoftmaxRow.length(count), scale: options.scale, isScaled: true)
      withUnsafeTemporaryAllocation(of: Float.self, capacity: softmax.length) { scores in
        guard let line = scores.baseAddress else { return }
        var row = 0
        for piece in pieces {
          for index in 0..<piece.count {
            let key = piece.keys + index * keyWidth + column
            line[row] = options.scale * sumVectors(query, key, count: headWidth) { $0 * $1 }
            if let bias = options.bias {
              // The query is the last row.
              let bucket = bias.bucket(row - (count - 1))
              line[row] += bias.table.value.read { $0[bucket * options.headCount + head] }
            }
            row += 1
          }
        }
        let inverse = 1 / softmax.exponentials(of: line, into: line).sum
        row = 0
        for piece in pieces {
          for index in 0..<piece.count {
            let value = piece.values + index * keyWidth + column
            let share = line[row] * inverse
            mapVectors(value, UnsafePointer(y), into: y, count: headWidth) { $1 + $0 * share }
            row += 1
          }
        }
      }
    }
  }
}

extension KVCache.Rows {
  /// Neighbouring rows in memory.
  fileprivate typealias Piece = (
    keys: UnsafePointer<Float>, values: UnsafePointer<Float>, count: Int
  )

  /// Calls the closure with all rows in their order and their width.
  fileprivate func withPieces(_ body: ([Piece], _ keyWidth: Int) -> Void) {
    keys.withUnsafeBufferPointer { keys in
      values.withUnsafeBufferPointer { values in
        guard let given else {
          preconditionFailure("a sequence begins with a prompt")
        }
        read(given.keys, given.values) { givenKeys, givenValues in
          let width = given.keys.width
          var pieces: [Piece] = [(givenKeys, givenValues, given.keys.rowCount)]
          if let ownKeys = keys.baseAddress, let ownValues = values.baseAddress, !keys.isEmpty {
            pieces.append((ownKeys, ownValues, keys.count / width))
          }
          body(pieces, width)
        }
      }
    }
  }
}
