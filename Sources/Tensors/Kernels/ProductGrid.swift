/// How a product's result is cut into blocks.
struct ProductGrid {
  let rowParts: Int
  let columnParts: Int
  let rows: Int
  let columns: Int

  /// Sides below which a block's copying of its factors begins to cost.
  private static let leastBlockSide = 256

  init(rows: Int, columns: Int, inner: Int) {
    self.rows = rows
    self.columns = columns
    let threads = rows * columns * inner < 64 * 64 * 64 ? 1 : Parallel.threadCount
    // The factorisation of the thread count whose blocks are the nearest to squares: each thread
    // reads a part of A and a part of B, and their sum is then the least.
    var best = (rows: threads, columns: 1, cost: Int.max)
    for parts in 1...threads where threads % parts == 0 {
      let cost = rows / parts + columns / (threads / parts)
      if cost < best.cost { best = (parts, threads / parts, cost) }
    }
    // Several blocks a thread, where they stay large, so that a thread which other programs slow
    // down leaves its share to the others.
    var blocks = threads
    while threads > 1, blocks < 4 * threads,
      max(rows / best.rows, columns / best.columns) >= 2 * ProductGrid.leastBlockSide
    {
      if rows / best.rows >= columns / best.columns { best.rows *= 2 } else { best.columns *= 2 }
      blocks *= 2
    }
    rowParts = best.rows
    columnParts = best.columns
  }

  var count: Int { rowParts * columnParts }

  func block(_ index: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    (
      ProductGrid.part(index / columnParts, of: rowParts, in: rows),
      ProductGrid.part(index % columnParts, of: columnParts, in: columns)
    )
  }

  /// Parts begin at multiples of 16, the unit of the kernels.
  private static func part(_ index: Int, of parts: Int, in count: Int) -> Range<Int> {
    let units = (count + 15) / 16
    let begin = min(count, units * index / parts * 16)
    let end = min(count, units * (index + 1) / parts * 16)
    return begin..<end
  }
}
