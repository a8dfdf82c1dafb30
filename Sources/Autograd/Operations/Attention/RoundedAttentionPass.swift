import Glibc
import Tensors

/// The forward and backward kernels of attention in bfloat16, one task for each group and some of its
/// heads.
///
/// A task copies its keys and values into the order in which tiles read them, and takes its query rows
/// a few at a time, so that their scores stay in the cache. Scores and sums are float32; what is multiplied
/// (queries, keys, values, probabilities and gradients) is bfloat16, as mixed-precision training has it.
struct RoundedAttentionPass {
  let shape: AttentionShape
  let layout: AttentionLayout
  let options: AttentionOptions
  let queries: BFloat16Matrix
  let keys: BFloat16Matrix
  let values: BFloat16Matrix
  let biases: BiasLines?

  init(
    shape: AttentionShape, layout: AttentionLayout, options: AttentionOptions,
    queries: BFloat16Matrix, keys: BFloat16Matrix, values: BFloat16Matrix
  ) {
    self.shape = shape
    self.layout = layout
    self.options = options
    self.queries = queries
    self.keys = keys
    self.values = values
    biases = options.bias.map { BiasLines($0, layout: layout, headCount: options.headCount) }
  }

  /// What a task reads.
  struct Inputs {
    let q: UnsafePointer<BFloat16>
    let k: UnsafePointer<BFloat16>
    let v: UnsafePointer<BFloat16>
  }

  /// What a backward pass reads beside, and what it writes.
  struct Outputs {
    let dy: UnsafePointer<BFloat16>
    let y: UnsafePointer<BFloat16>
    let logSums: UnsafePointer<Float>
    let dq: UnsafeMutablePointer<BFloat16>
    let dk: UnsafeMutablePointer<BFloat16>
    let dv: UnsafeMutablePointer<BFloat16>
  }

  /// Runs the body with each group and some of its key heads: all, if there are groups enough for the
  /// threads to end at about the same time. Heads do not share any sum, so that numbers do not depend on
  /// it.
  private func forEachTask(_ body: (RoundedAttentionTask) -> Void) {
    let groups = layout.groups
    if groups.isEmpty { return }
    let parts = min(
      shape.keyHeadCount, (16 * Parallel.threadCount + groups.count - 1) / groups.count)
    read { inputs in
      Parallel.forEach(groups.count * parts) { index in
        let part = index % parts
        body(
          RoundedAttentionTask(
            pass: self, group: groups[index / parts],
            keyHeads: part * shape.keyHeadCount / parts..<(part + 1) * shape.keyHeadCount / parts,
            inputs: inputs))
      }
    }
  }

  /// - Parameter keepsSums: Whether a backward pass wants the scores' log-sum-exp.
  /// - Returns: y of the queries' shape, and log-sum-exp, `[query rows, heads]`.
  func forward(keepsSums: Bool) -> (y: BFloat16Matrix, logSums: Tensor) {
    let logSums = Tensor(shape: keepsSums ? [shape.queryRows, shape.headCount] : [0]) { _ in }
    let sums = keepsSums ? logSums.writable : nil
    let y = matrix(rows: shape.queryRows, columns: shape.width, written: writtenQueries) { y in
      forEachTask { $0.forward(y: y, logSums: sums) }
    }
    return (y, logSums)
  }

  /// - Returns: The gradients of queries, keys and values, of their shapes.
  func backward(
    dy: BFloat16Matrix, y: BFloat16Matrix, logSums: Tensor
  ) -> (BFloat16Matrix, BFloat16Matrix, BFloat16Matrix) {
    var (dk, dv): (BFloat16Matrix?, BFloat16Matrix?)
    let dq = matrix(rows: shape.queryRows, columns: shape.width, written: writtenQueries) { dq in
      dk = matrix(rows: shape.keyRows, columns: shape.keyWidth, written: writtenKeys) { dk in
        dv = matrix(rows: shape.keyRows, columns: shape.keyWidth, written: writtenKeys) { dv in
          dy.read { dy in
            y.read { y in
              logSums.read { logSums in
                let outputs = Outputs(
                  dy: dy.pointer, y: y.pointer, logSums: logSums, dq: dq, dk: dk, dv: dv)
                forEachTask { $0.backward(outputs) }
              }
            }
          }
        }
      }
    }
    guard let dk, let dv else { preconditionFailure("the closures were not called") }
    return (dq, dk, dv)
  }

  private func read(_ body: (Inputs) -> Void) {
    queries.read { q in
      keys.read { k in
        values.read { v in body(Inputs(q: q.pointer, k: k.pointer, v: v.pointer)) }
      }
    }
  }

  private var writtenQueries: Int { layout.groups.reduce(0) { $0 + $1.queryCount } }
  private var writtenKeys: Int { layout.groups.reduce(0) { $0 + $1.keyCount } }

  /// Rows that the layout leaves out are zero.
  /// - Parameter written: How many it does not leave out.
  private func matrix(
    rows: Int, columns: Int, written: Int, _ write: (UnsafeMutablePointer<BFloat16>) -> Void
  ) -> BFloat16Matrix {
    BFloat16Matrix(rows: rows, columns: columns) { target in
      if written < rows { target.update(repeating: BFloat16(0), count: rows * columns) }
      write(target)
    }
  }
}

/// The biases of each head as lines over the distances, so that a row of scores adds a piece of one.
struct BiasLines {
  private let lines: Tensor
  /// The distance at a line's begin.
  private let first: Int

  /// - Parameter layout: Its rows' positions and keys decide which distances occur.
  init(_ bias: RelativeBias, layout: AttentionLayout, headCount: Int) {
    let spans = layout.groups.flatMap { group in group.queries.map { (group, $0) } }
    let latest = spans.map { Int($1.place.position) + $1.rows.count }.max() ?? 0
    let mostKeys = layout.groups.map(\.keyCount).max() ?? 0
    first = -latest
    let count = latest + mostKeys
    let start = first
    lines = bias.table.value.read { table in
      Tensor(shape: [headCount, count]) { lines in
        for place in 0..<count {
          let bucket = bias.bucket(start + place)
          for head in 0..<headCount {
            lines[head * count + place] = table[bucket * headCount + head]
          }
        }
      }
    }
  }

  /// Adds to the scores of a row at `position` the biases of its first `visible` keys.
  func add(
    to line: UnsafeMutablePointer<Float>, head: Int, position: Int, visible: Int
  ) {
    lines.read { lines in
      addVectors(
        lines + (head * self.lines.width - position - first), to: line, count: visible)
    }
  }
}
