import Glibc
import Tensors

/// The work of some key heads of one group of rows, on one thread.
///
/// The rows of query heads that share a key head are taken as more rows of it.
struct RoundedAttentionTask {
  private let pass: RoundedAttentionPass
  private let heads: Range<Int>
  private let keyRows: [Int]
  private let q: UnsafePointer<BFloat16>
  private let keys: HeadRows
  private let values: HeadRows
  private let chunks: [Chunk]

  private var shape: AttentionShape { pass.shape }
  private var width: Int { pass.shape.headWidth }
  private var sharing: Int { pass.shape.headsPerKeyHead }
  /// The scores of a row, with those that fill the last sixteen.
  private var line: Int { keys.padded }

  init(
    _ pass: RoundedAttentionPass, _ task: RoundedAttentionPass.Task,
    q: UnsafePointer<BFloat16>, k: UnsafePointer<BFloat16>, v: UnsafePointer<BFloat16>
  ) {
    self.pass = pass
    self.q = q
    heads = task.keyHeads
    keyRows = Array(task.group.keys.joined())
    let (stride, width) = (pass.shape.keyWidth, pass.shape.headWidth)
    keys = HeadRows(k, stride: stride, rows: keyRows, heads: heads, width: width)
    values = HeadRows(v, stride: stride, rows: keyRows, heads: heads, width: width)
    chunks = AttentionPass.chunks(of: task.group)
  }

  private func queryRows(_ x: UnsafePointer<BFloat16>, _ rows: [Int]) -> HeadRows {
    HeadRows(x, stride: shape.width, rows: rows, heads: heads, sharing: sharing, width: width)
  }

  /// One row of scores: its place among those of its heads, the row and its query head.
  private typealias Line = (place: Int, row: AttentionRow, head: Int)

  private func lines(of chunk: Chunk, padded: Int) -> [Line] {
    var lines: [Line] = []
    lines.reserveCapacity(heads.count * sharing * chunk.rows.count)
    for head in 0..<heads.count {
      for shared in 0..<sharing {
        let first = head * padded + shared * chunk.rows.count
        let number = (heads.lowerBound + head) * sharing + shared
        for (index, row) in chunk.rows.enumerated() {
          lines.append(((first + index) * line, row, number))
        }
      }
    }
    return lines
  }

  /// Products of all heads: their first matrices, and how far it is to the next ones.
  private func multiply(
    _ a: ElementView<BFloat16>, _ aStep: Int, _ b: HeadRows, _ form: ProductForm,
    into c: ProductResult, columns: Int, cStep: Int, adds: Bool = false
  ) {
    BFloat16ProductBatch(count: heads.count, aStep: aStep, bStep: b.step, cStep: cStep).multiply(
      a, b.view, form, into: c, cStride: columns, adds: adds)
  }

  /// `a · bᵀ` of each head, `[heads, padded rows, line]`.
  private func scores(_ a: HeadRows, _ b: HeadRows, into c: UnsafeMutablePointer<Float>) {
    multiply(
      a.view, a.step, b, .secondTransposed, into: .float32(c), columns: line,
      cStep: a.padded * line)
  }

  // MARK: Forward

  /// - Parameter logSums: Where the scores' log-sum-exp go, `[query rows, heads]`, if wanted.
  func forward(
    y: UnsafeMutablePointer<BFloat16>, logSums: UnsafeMutablePointer<Float>?
  ) {
    for chunk in chunks { forward(chunk, y: y, logSums: logSums) }
  }

  private func forward(
    _ chunk: Chunk, y: UnsafeMutablePointer<BFloat16>, logSums: UnsafeMutablePointer<Float>?
  ) {
    let rows = chunk.rows.map(\.index)
    let queries = queryRows(q, rows)
    let size = heads.count * queries.padded * line
    let scores = Tensor(shape: [size]) { _ in }
    let probabilities = BFloat16Scratch(count: size)
    self.scores(queries, keys, into: scores.writable)
    for (place, row, head) in lines(of: chunk, padded: queries.padded) {
      let (largest, sum) = softmax(
        scores.writable + place, row: row, head: head, into: probabilities.pointer + place)
      if let logSums { logSums[row.index * shape.headCount + head] = largest + log(sum) }
    }
    let result = HeadRows(heads: heads.count, count: queries.count, width: width)
    multiply(
      ElementView(UnsafePointer(probabilities.pointer), rows: queries.padded, columns: line),
      queries.padded * line, values, .plain, into: .bfloat16(result.pointer), columns: width,
      cStep: result.step)
    result.write(to: y, stride: shape.width, rows: rows, heads: heads, sharing: sharing)
    withExtendedLifetime((scores, probabilities)) {}
  }

  /// The probabilities of one row of scores after dropout.
  /// - Returns: The largest score and the sum of the exponentials of what is left above it.
  @inline(never)
  private func softmax(
    _ scores: UnsafeMutablePointer<Float>, row: AttentionRow, head: Int,
    into target: UnsafeMutablePointer<BFloat16>
  ) -> (largest: Float, sum: Float) {
    let (padded, scale) = prepare(scores, row: row, head: head)
    var maximum = Vector(repeating: -.infinity)
    var i = 0
    while i < padded {
      let next = Vector(scores + i)
      maximum = maximum.replacing(with: next, where: maximum .< next)
      i &+= 16
    }
    let largest = maximum.laneMaximum * scale
    let shift = Vector(repeating: -largest)
    var sums = Vector.zero
    i = 0
    while i < padded {
      let share = shift.addingProduct(Vector(scores + i), Vector(repeating: scale)).exponential()
      share.store(scores + i)
      sums += share
      i &+= 16
    }
    // Places beyond the visible ones hold what is as good as zero.
    let sum = sums.laneSum
    let inverse = 1 / sum
    if let dropout = pass.options.dropout {
      let factor = inverse * dropout.scale
      dropout.forEachMask(count: row.visible, place: place(of: row, head)) { i, kept in
        Vector.zero.replacing(with: Vector(scores + i) * factor, where: kept).store(target + i)
      }
    } else {
      i = 0
      while i < padded {
        (Vector(scores + i) * inverse).store(target + i)
        i &+= 16
      }
    }
    clear(target, from: row.visible)
    return (largest, sum)
  }

  /// Adds biases to scores and fills the last vector's rest.
  /// - Returns: The places to go through, and what the scores are still to be multiplied with.
  @inline(__always)
  private func prepare(
    _ scores: UnsafeMutablePointer<Float>, row: AttentionRow, head: Int
  ) -> (padded: Int, scale: Float) {
    let padded = HeadRows.padded(row.visible)
    var scale = pass.options.scale
    if let biases = pass.biases {
      mapVectors(scores, into: scores, count: row.visible) { $0 * scale }
      biases.add(
        to: scores, head: head, position: Int(row.place.position), visible: row.visible)
      scale = 1
    }
    for place in row.visible..<padded { scores[place] = -1e30 }
    return (padded, scale)
  }

  @inline(__always)
  private func clear(_ target: UnsafeMutablePointer<BFloat16>, from visible: Int) {
    (target + visible).update(repeating: BFloat16(0), count: line - visible)
  }

  private func place(of row: AttentionRow, _ head: Int) -> RandomPlace {
    RandomPlace(
      sample: row.place.sample,
      position: row.place.position &* UInt32(shape.headCount) &+ UInt32(head))
  }

  // MARK: Backward

  /// What a backward pass reads and writes, in the packed buffers.
  struct Buffers {
    let dy: UnsafePointer<BFloat16>
    let y: UnsafePointer<BFloat16>
    let logSums: UnsafePointer<Float>
    let dq: UnsafeMutablePointer<BFloat16>
    let dk: UnsafeMutablePointer<BFloat16>
    let dv: UnsafeMutablePointer<BFloat16>
  }

  func backward(_ buffers: Buffers) {
    let size = heads.count * keys.step
    let sums = Tensor(shape: [2, size]) { _ in }
    for (index, chunk) in chunks.enumerated() {
      backward(
        chunk, buffers, dk: sums.writable, dv: sums.writable + size, adds: index > 0)
    }
    for (sum, target) in [(sums.writable, buffers.dk), (sums.writable + size, buffers.dv)] {
      for head in 0..<heads.count {
        let column = (heads.lowerBound + head) * width
        for (index, row) in keyRows.enumerated() {
          roundVectors(
            sum + (head * keys.padded + index) * width,
            into: target + (row * shape.keyWidth + column), count: width)
        }
      }
    }
    withExtendedLifetime(sums) {}
  }

  private func backward(
    _ chunk: Chunk, _ buffers: Buffers, dk: UnsafeMutablePointer<Float>,
    dv: UnsafeMutablePointer<Float>, adds: Bool
  ) {
    let rows = chunk.rows.map(\.index)
    let (queries, gradients) = (queryRows(q, rows), queryRows(buffers.dy, rows))
    let padded = queries.padded
    let size = heads.count * padded * line
    let scores = Tensor(shape: [2, size]) { _ in }
    let rounded = BFloat16Scratch(count: 2 * size)
    let (p, ds) = (rounded.pointer, rounded.pointer + size)
    self.scores(queries, keys, into: scores.writable)
    self.scores(gradients, values, into: scores.writable + size)
    for (place, row, head) in lines(of: chunk, padded: padded) {
      let start = row.index * shape.width + head * width
      gradientRow(
        scores.writable + place, scores.writable + size + place, row: row, head: head,
        logSum: buffers.logSums[row.index * shape.headCount + head],
        along: dotProduct(buffers.dy + start, buffers.y + start, count: width), p: p + place,
        ds: ds + place)
    }
    // Rows that fill the last sixteen: the others' sums go over them.
    let filled = (padded - queries.count) * line
    for head in 0..<heads.count {
      let place = (head * padded + queries.count) * line
      (p + place).update(repeating: BFloat16(0), count: filled)
      (ds + place).update(repeating: BFloat16(0), count: filled)
    }
    func view(_ x: UnsafeMutablePointer<BFloat16>) -> ElementView<BFloat16> {
      ElementView(UnsafePointer(x), rows: padded, columns: line)
    }
    multiply(
      view(p), padded * line, gradients, .firstTransposed, into: .float32(dv), columns: width,
      cStep: keys.step, adds: adds)
    multiply(
      view(ds), padded * line, queries, .firstTransposed, into: .float32(dk), columns: width,
      cStep: keys.step, adds: adds)
    let result = HeadRows(heads: heads.count, count: queries.count, width: width)
    multiply(
      view(ds), padded * line, keys, .plain, into: .bfloat16(result.pointer), columns: width,
      cStep: result.step)
    result.write(to: buffers.dq, stride: shape.width, rows: rows, heads: heads, sharing: sharing)
    withExtendedLifetime((scores, rounded)) {}
  }

  /// From scores and the probabilities' gradients of one row to the probabilities after dropout and
  /// `scale · p · (dp − along)`.
  @inline(never)
  private func gradientRow(
    _ s: UnsafeMutablePointer<Float>, _ dp: UnsafePointer<Float>, row: AttentionRow, head: Int,
    logSum: Float, along: Float, p: UnsafeMutablePointer<BFloat16>,
    ds: UnsafeMutablePointer<BFloat16>
  ) {
    let (padded, scoreScale) = prepare(s, row: row, head: head)
    let scale = pass.options.scale
    let shift = Vector(repeating: -logSum)
    if let dropout = pass.options.dropout {
      dropout.forEachMask(count: row.visible, place: place(of: row, head)) { i, kept in
        let share = shift.addingProduct(Vector(s + i), Vector(repeating: scoreScale)).exponential()
        let factor = Vector.zero.replacing(with: dropout.scale, where: kept)
        (share * factor).store(p + i)
        ((Vector(dp + i) * factor - along) * share * scale).store(ds + i)
      }
    } else {
      var i = 0
      while i < padded {
        let share = shift.addingProduct(Vector(s + i), Vector(repeating: scoreScale)).exponential()
        share.store(p + i)
        ((Vector(dp + i) - along) * share * scale).store(ds + i)
        i &+= 16
      }
    }
    clear(p, from: row.visible)
    clear(ds, from: row.visible)
  }
}
