/// Merges the tokens of a word pair by pair, the pair of the lowest rank first and of equal ones the
/// leftmost (Sennrich et al. 2016, arXiv:1508.07909, Algorithm 1).
///
/// Tokens are a linked list, pairs that may merge lie in a heap: `n log n` steps for a word of `n`
/// bytes, however long. A pair in the heap may be out of date; its rank tells when it comes out.
struct BytePairMerger {
  private static let none: Int32 = -1

  private let table: MergeTable
  /// The tokens in place; `none` where one went into its left neighbour.
  private var ids: [Int32] = []
  private var next: [Int32] = []
  private var previous: [Int32] = []
  /// `rank << 32 | place`, the smallest in front.
  private var heap: [UInt64] = []

  init(_ table: MergeTable) {
    self.table = table
  }

  /// Merges what `word` holds and appends the result to `output`.
  ///
  /// - Precondition: Fewer than 2^31 tokens.
  mutating func merge(_ word: [Int32], into output: inout [Int32]) {
    precondition(word.count < Int(Int32.max), "a word of \(word.count) bytes")
    guard word.count > 1 else {
      output += word
      return
    }
    ids.removeAll(keepingCapacity: true)
    next.removeAll(keepingCapacity: true)
    previous.removeAll(keepingCapacity: true)
    ids += word
    let count = Int32(word.count)
    for place in 0..<count {
      previous.append(place - 1)
      next.append(place + 1 == count ? Self.none : place + 1)
    }
    for place in 0..<count - 1 { push(place) }
    while let top = popSmallest() {
      mergePair(at: Int32(truncatingIfNeeded: top), rank: UInt32(top >> 32))
    }
    for id in ids where id != Self.none { output.append(id) }
  }

  /// Puts the pair that begins at `place` into the heap if it is one that merges.
  private mutating func push(_ place: Int32) {
    let right = next[Int(place)]
    guard right != Self.none, let merge = table.merge(of: ids[Int(place)], ids[Int(right)]) else {
      return
    }
    insert(UInt64(merge.rank) << 32 | UInt64(place))
  }

  private mutating func mergePair(at place: Int32, rank: UInt32) {
    let left = Int(place)
    guard ids[left] != Self.none, next[left] != Self.none else { return }
    let right = Int(next[left])
    guard let merge = table.merge(of: ids[left], ids[right]), merge.rank == rank else { return }
    ids[left] = merge.result
    ids[right] = Self.none
    next[left] = next[right]
    if next[left] != Self.none { previous[Int(next[left])] = place }
    if previous[left] != Self.none { push(previous[left]) }
    push(place)
  }
}

extension BytePairMerger {
  private mutating func insert(_ entry: UInt64) {
    var place = heap.count
    heap.append(entry)
    while place > 0 {
      let parent = (place - 1) / 2
      guard heap[parent] > entry else { break }
      heap[place] = heap[parent]
      place = parent
    }
    heap[place] = entry
  }

  private mutating func popSmallest() -> UInt64? {
    guard let smallest = heap.first else { return nil }
    let entry = heap.removeLast()
    guard !heap.isEmpty else { return smallest }
    var place = 0
    while true {
      var child = 2 * place + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < entry else { break }
      heap[place] = heap[child]
      place = child
    }
    heap[place] = entry
    return smallest
  }
}
