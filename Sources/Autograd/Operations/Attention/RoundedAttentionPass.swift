import Glibc
import Tensors

/// The forward and backward kernels of attention in bfloat16, one task for each group and some of its
/// heads.
///
/// The products of a task's heads are one call each. Scores and sums are float32; what is multiplied
/// (queries, keys, values, probabilities and gradients) is bfloat16, as mixed-precision training has it.
struct RoundedAttentionPass {
  let shape: AttentionShape
  let layout: AttentionLayout
  let options: AttentionOptions
  let queries: BFloat16Matrix
  let keys: BFloat16Matrix
  let values: BFloat16Matrix
  let biases: BiasLines?

  /// So many scores of a task stay in a processor's second-level cache.
  private static let mostScores = 64 * 1024

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

  /// Some key heads of one group.
  struct Task {
    let group: AttentionLayout.Group
    let keyHeads: Range<Int>
  }

  private var tasks: [Task] {
    layout.groups.flatMap { group in
      let rows = min(group.queryCount, AttentionPass.chunkRows) * shape.headsPerKeyHead
      let scores = HeadRows.padded(rows) * HeadRows.padded(group.keyCount)
      let together = min(shape.keyHeadCount, max(1, RoundedAttentionPass.mostScores / scores))
      return stride(from: 0, to: shape.keyHeadCount, by: together).map {
        Task(group: group, keyHeads: $0..<min(shape.keyHeadCount, $0 + together))
      }
    }
  }

  /// - Parameter keepsSums: Whether a backward pass wants the scores' log-sum-exp.
  /// - Returns: y of the queries' shape, and log-sum-exp, `[query rows, heads]`.
  func forward(keepsSums: Bool) -> (y: BFloat16Matrix, logSums: Tensor) {
    let logSums = Tensor(shape: keepsSums ? [shape.queryRows, shape.headCount] : [0]) { _ in }
    let sums = keepsSums ? logSums.writable : nil
    let y = zeroed(rows: shape.queryRows, columns: shape.width) { y in
      read { q, k, v in
        let tasks = self.tasks
        Parallel.forEach(tasks.count) { index in
          let task = RoundedAttentionTask(self, tasks[index], q: q, k: k, v: v)
          task.forward(y: y, logSums: sums)
        }
      }
    }
    return (y, logSums)
  }

  /// - Returns: The gradients of queries, keys and values, of their shapes.
  func backward(
    dy: BFloat16Matrix, y: BFloat16Matrix, logSums: Tensor
  ) -> (BFloat16Matrix, BFloat16Matrix, BFloat16Matrix) {
    var (dk, dv): (BFloat16Matrix?, BFloat16Matrix?)
    let dq = zeroed(rows: shape.queryRows, columns: shape.width) { dq in
      dk = zeroed(rows: shape.keyRows, columns: shape.keyWidth) { dk in
        dv = zeroed(rows: shape.keyRows, columns: shape.keyWidth) { dv in
          backward(dy, y, logSums, dq: dq, dk: dk, dv: dv)
        }
      }
    }
    guard let dk, let dv else { preconditionFailure("the closures were not called") }
    return (dq, dk, dv)
  }

  private func backward(
    _ dy: BFloat16Matrix, _ y: BFloat16Matrix, _ logSums: Tensor,
    dq: UnsafeMutablePointer<BFloat16>, dk: UnsafeMutablePointer<BFloat16>,
    dv: UnsafeMutablePointer<BFloat16>
  ) {
    read { q, k, v in
      dy.read { dy in
        y.read { y in
          logSums.read { logSums in
            let tasks = self.tasks
            Parallel.forEach(tasks.count) { index in
              let task = RoundedAttentionTask(self, tasks[index], q: q, k: k, v: v)
              task.backward(
                .init(dy: dy.pointer, y: y.pointer, logSums: logSums, dq: dq, dk: dk, dv: dv))
            }
          }
        }
      }
    }
  }

  private func read(
    _ body: (
      UnsafePointer<BFloat16>, UnsafePointer<BFloat16>, UnsafePointer<BFloat16>
    ) -> Void
  ) {
    queries.read { q in
      keys.read { k in values.read { v in body(q.pointer, k.pointer, v.pointer) } }
    }
  }

  /// Rows that the layout leaves out stay zero.
  private func zeroed(
    rows: Int, columns: Int, _ write: (UnsafeMutablePointer<BFloat16>) -> Void
  ) -> BFloat16Matrix {
    BFloat16Matrix(rows: rows, columns: columns) { target in
      target.update(repeating: BFloat16(0), count: rows * columns)
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
