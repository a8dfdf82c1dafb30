import Tensors

/// Query rows of one span whose scores are in the cache together, for one head or for all.
struct AttentionTile {
  let span: AttentionLayout.QuerySpan
  /// Among the span's rows.
  let rows: Range<Int>
  let heads: Range<Int>
  /// Of the attention.
  let headCount: Int

  /// The same rows for one head.
  func with(head: Int) -> AttentionTile {
    AttentionTile(span: span, rows: rows, heads: head..<head + 1, headCount: headCount)
  }

  /// How many rows of scores there are.
  var count: Int { rows.count * heads.count }

  /// The first of the tile's rows among all `[query rows, heads]`.
  private var first: Int { (span.rows.lowerBound + rows.lowerBound) * headCount + heads.lowerBound }

  /// The place of the tile's first number in `[query rows, heads, width]`.
  func start(_ width: Int) -> Int { first * width }

  /// From row to row there.
  func stride(_ width: Int) -> Int { heads.count == 1 ? headCount * width : width }

  /// The tile's part of `[query rows, heads, width]`.
  /// - Parameter columns: Those that are read; nil for all.
  func view<Number>(
    _ x: UnsafePointer<Number>, _ width: Int, columns: Int? = nil
  ) -> ElementView<Number> {
    ElementView(
      x + start(width), rows: count, columns: columns ?? width, stride: stride(width))
  }

  /// One row of scores: a query row and a head.
  struct Row {
    /// Among the tile's.
    let index: Int
    /// Among all `[query rows, heads]`.
    let place: Int
    let head: Int
    /// As biases see the query.
    let position: Int
    /// How many keys the query sees.
    let visible: Int
    /// Where the draws of its dropout belong, whatever the order of products.
    let draws: RandomPlace
  }

  /// Calls the body with all rows, in the order in which they lie.
  @inline(__always)
  func forEachRow(_ body: (Row) -> Void) {
    var index = 0
    for row in rows {
      let position = span.place.position &+ UInt32(row)
      for head in heads {
        body(
          Row(
            index: index, place: (span.rows.lowerBound + row) * headCount + head, head: head,
            position: Int(position), visible: span.visibleKeys(at: row),
            draws: RandomPlace(
              sample: span.place.sample,
              position: position &* UInt32(headCount) &+ UInt32(head))))
        index += 1
      }
    }
  }
}
