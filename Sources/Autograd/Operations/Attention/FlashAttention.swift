import Glibc
import Tensors

/// Attention that never stores the matrix of scores (FlashAttention, Dao et al. 2022): tiles of query
/// rows, whose scores stay in the cache, pass all keys of their group.
///
/// Scores and sums are float32; what is multiplied (queries, keys, values, probabilities and gradients) is
/// of one kind of number, as mixed-precision training has it. Queries are `[query rows, heads, head width]`,
/// keys and values `[key rows, key heads, head width]`, results and gradients as what they belong to.
struct FlashAttention<Number: FusedNumber> {
  let shape: AttentionShape
  let layout: AttentionLayout
  let options: AttentionOptions
  let biases: BiasLines?
  /// From one row of kept exponentials to the next: the most keys that a group has, in whole vectors.
  let keptLine: Int

  init(_ shape: AttentionShape, layout: AttentionLayout, options: AttentionOptions) {
    (self.shape, self.layout, self.options) = (shape, layout, options)
    biases = options.bias.map { BiasLines($0, layout: layout, headCount: shape.headCount) }
    keptLine = SoftmaxRow.length(layout.groups.map(\.keyCount).max() ?? 0)
  }

  /// What the kernels read.
  struct Operands {
    let q: UnsafePointer<Number>
    let k: UnsafePointer<Number>
    let v: UnsafePointer<Number>
  }

  /// What the forward pass keeps of each row of scores, `[query rows, heads]`.
  struct Kept {
    /// The log-sum-exp of the scores, from which the backward pass makes the probabilities again; where
    /// their exponentials are kept, 1 over the sum of these.
    let normalisers: Tensor
    /// The sums of the probabilities after dropout, with dropout only where exponentials are kept.
    var sums: Tensor?
    /// The exponentials of the scores before dropout, `[query rows, heads, keptLine]`.
    var exponentials: NumberBuffer<Number>?
  }

  /// What the backward pass reads beside, and what it writes.
  struct Differentials {
    let dy: UnsafePointer<Number>
    let y: UnsafePointer<Number>
    /// May be where dy is, if dk and dv are not wanted.
    let dq: UnsafeMutablePointer<Number>
    /// Both or neither.
    var dk: UnsafeMutablePointer<Number>?
    var dv: UnsafeMutablePointer<Number>?
    /// Added to the gradient of each probability of a row, `[query rows, heads]`.
    var shifts: UnsafePointer<Float>?
    /// Sums of the biases' gradients.
    var biases: Tensor?
  }

  /// Rows that the layout leaves out are zero.
  func forward(_ operands: Operands, into y: UnsafeMutablePointer<Number>, keeping kept: Kept?) {
    clear(y, of: shape.queryRows, width: shape.width, butFor: layout.queryRows)
    forEachTask(operands, sumsRows: false) { $0.forward(into: y, keeping: kept) }
  }

  /// Rows that the layout leaves out are zero.
  func backward(_ operands: Operands, _ differentials: Differentials, kept: Kept) {
    let (dq, dk, dv) = (differentials.dq, differentials.dk, differentials.dv)
    clear(dq, of: shape.queryRows, width: shape.width, butFor: layout.queryRows)
    for target in [dk, dv].compactMap({ $0 }) {
      clear(target, of: shape.keyRows, width: shape.keyWidth, butFor: layout.keyRows)
    }
    forEachTask(operands, sumsRows: dk != nil || differentials.biases != nil) {
      $0.backward(differentials, kept)
    }
  }

  private func clear(
    _ x: UnsafeMutablePointer<Number>, of count: Int, width: Int, butFor ranges: [Range<Int>]
  ) {
    var next = 0
    for range in ranges + [count..<count] {
      let rows = range.lowerBound - next
      memset(x + next * width, 0, rows * width * MemoryLayout<Number>.stride)
      next = range.upperBound
    }
  }

  /// Runs the body with each group and a part of its work: some key heads, and some tiles, as many parts
  /// as let the threads end at about the same time. Numbers do not depend on it.
  /// - Parameter sumsRows: Whether tiles share sums, which one task must then make in order.
  private func forEachTask(
    _ operands: Operands, sumsRows: Bool, _ body: (AttentionTask<Number>) -> Void
  ) {
    let groups = layout.groups
    if groups.isEmpty { return }
    func parts(_ tasks: Int, _ count: Int) -> Int {
      (tasks * Parallel.threadCount + count - 1) / count
    }
    let headParts = min(shape.keyHeadCount, parts(16, groups.count))
    let tileParts = sumsRows ? 1 : parts(4, groups.count * headParts)
    Parallel.forEach(groups.count * headParts * tileParts) { index in
      let (part, tilePart) = (index / tileParts % headParts, index % tileParts)
      body(
        AttentionTask(
          attention: self, group: index / (headParts * tileParts),
          keyHeads: part * shape.keyHeadCount / headParts..<(part + 1) * shape.keyHeadCount
            / headParts,
          part: tilePart, parts: tileParts, operands: operands))
    }
  }
}

/// The sizes of one attention, checked.
struct AttentionShape {
  let queryRows: Int
  let keyRows: Int
  let headCount: Int
  let keyHeadCount: Int
  let headWidth: Int

  var width: Int { headCount * headWidth }
  var keyWidth: Int { keyHeadCount * headWidth }
  /// How many query heads share a key head.
  var sharing: Int { headCount / keyHeadCount }

  /// - Parameters: The shapes of queries and keys.
  init(queries: [Int], keys: [Int], layout: AttentionLayout, headCount: Int) {
    let (width, keyWidth) = (queries.last ?? 1, keys.last ?? 1)
    precondition(width % headCount == 0, "\(headCount) heads do not divide a width of \(width)")
    self.headCount = headCount
    headWidth = width / headCount
    keyHeadCount = keyWidth / headWidth
    precondition(
      keyWidth % headWidth == 0 && keyHeadCount > 0 && headCount % keyHeadCount == 0,
      "keys \(keys) do not go with queries \(queries) of \(headCount) heads")
    queryRows = queries.dropLast().reduce(1, *)
    keyRows = keys.dropLast().reduce(1, *)
    let (lastQuery, lastKey) = (layout.queryRows.last, layout.keyRows.last)
    precondition(
      lastQuery?.upperBound ?? 0 <= queryRows && lastKey?.upperBound ?? 0 <= keyRows,
      "the layout's rows reach beyond queries \(queries) or keys \(keys)")
  }
}
