/// Which pairs of tokens merge into which, and in what order: pairs of a lower rank first.
struct MergeTable {
  struct Merge {
    let rank: UInt32
    let result: Int32
  }

  private var merges = PackedKeyTable(filler: Merge(rank: 0, result: 0))

  /// Adds the pair of the next rank.
  ///
  /// - Returns: False where the pair is there already.
  mutating func append(_ left: Int32, _ right: Int32, result: Int32) -> Bool {
    merges.insert(
      Merge(rank: UInt32(merges.count), result: result), for: Self.packed(left, right))
  }

  func merge(of left: Int32, _ right: Int32) -> Merge? { merges[Self.packed(left, right)] }

  private static func packed(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }
}
