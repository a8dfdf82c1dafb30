/// Which pairs of tokens merge into which, and in what order: pairs of a lower rank first.
///
/// Open addressing over packed pairs: a text looks up some three pairs for each of its bytes.
struct MergeTable {
  struct Merge {
    let rank: UInt32
    let result: Int32
  }

  /// No pair has it: ids are not negative.
  private static let free = UInt64.max

  private var pairs: [UInt64]
  private var merges: [Merge]

  /// - Parameter capacity: How many pairs will be put in at most.
  init(capacity: Int) {
    var slotCount = 16
    while slotCount < capacity * 2 { slotCount *= 2 }
    pairs = Array(repeating: Self.free, count: slotCount)
    merges = Array(repeating: Merge(rank: 0, result: 0), count: slotCount)
  }

  /// - Returns: False where the pair is there already.
  mutating func insert(_ left: Int32, _ right: Int32, _ merge: Merge) -> Bool {
    let pair = Self.packed(left, right)
    let slot = slot(of: pair)
    guard pairs[slot] == Self.free else { return false }
    pairs[slot] = pair
    merges[slot] = merge
    return true
  }

  func merge(of left: Int32, _ right: Int32) -> Merge? {
    let pair = Self.packed(left, right)
    let slot = slot(of: pair)
    return pairs[slot] == pair ? merges[slot] : nil
  }

  private static func packed(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// The slot of a pair, or the free slot where it would go.
  private func slot(of pair: UInt64) -> Int {
    let mask = pairs.count - 1
    // Multiplying by 2^64 / golden ratio spreads pairs; the high bits are the well-mixed ones.
    var slot = Int(truncatingIfNeeded: (pair &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while pairs[slot] != Self.free && pairs[slot] != pair { slot = (slot + 1) & mask }
    return slot
  }
}
