import Tensors

/// A block mask for sequences of varying length (FlashAttention's "varlen"): which rows of packed buffers
/// attend to which.
///
/// Sequences lie end to end without padding. A group is a set of keys, several runs of rows taken
/// one after the other, and the queries that look at them. Each query row sees a beginning of the
/// group's keys: all of them, the first few, or one more with every row (causal). The masks of
/// BLIP-2 (Li et al. 2023, Figure 2) are three such layouts:
///
/// | mask | group of a sample | its queries see | its text sees |
/// |---|---|---|---|
/// | uni-modal | queries; text apart | all queries | all text |
/// | multi-modal causal | queries, then text | the first `queries` keys | these, and text up to itself |
/// | bidirectional | queries, then text | all | all |
public struct AttentionLayout: Sendable {
  /// Neighbouring query rows of one sequence.
  public struct QuerySpan: Sendable {
    public var rows: Range<Int>
    /// How many of the group's keys the first row sees.
    public var visibleKeys: Int
    /// Whether each further row sees one key more than the row before it.
    public var isCausal: Bool
    /// Where the first row's random draws belong; further rows have the positions after it. The
    /// position is also the row's place among the keys for a relative bias.
    public var place: RandomPlace

    public init(
      rows: Range<Int>, visibleKeys: Int, isCausal: Bool = false,
      place: RandomPlace = RandomPlace()
    ) {
      self.rows = rows
      self.visibleKeys = visibleKeys
      self.isCausal = isCausal
      self.place = place
    }

    /// How many keys the row sees, `index` rows after the first.
    @inline(__always)
    func visibleKeys(at index: Int) -> Int { isCausal ? visibleKeys + index : visibleKeys }
  }

  /// Keys and those who look at them. No key row belongs to two groups.
  public struct Group: Sendable {
    public var queries: [QuerySpan]
    public var keys: [Range<Int>]

    public init(queries: [QuerySpan], keys: [Range<Int>]) {
      self.queries = queries
      self.keys = keys
    }

    var queryCount: Int { queries.reduce(0) { $0 + $1.rows.count } }
    var keyCount: Int { keys.reduce(0) { $0 + $1.count } }
  }

  public let groups: [Group]
  /// All query rows and all key rows that groups name, in their order.
  let queryRows: [Range<Int>]
  let keyRows: [Range<Int>]

  /// - Precondition: No query row and no key row comes twice, and no row is promised more keys than
  ///   its group has.
  public init(groups: [Group]) {
    self.groups = groups.filter { $0.queryCount > 0 }
    for group in self.groups {
      for span in group.queries where !span.rows.isEmpty {
        let most = span.visibleKeys(at: span.rows.count - 1)
        precondition(
          span.visibleKeys > 0 && most <= group.keyCount,
          "query rows \(span.rows) see \(span.visibleKeys) to \(most) of \(group.keyCount) keys")
      }
    }
    queryRows = AttentionLayout.sorted(self.groups.flatMap { $0.queries.map(\.rows) }, "query")
    keyRows = AttentionLayout.sorted(self.groups.flatMap(\.keys), "key")
  }

  private static func sorted(_ ranges: [Range<Int>], _ what: String) -> [Range<Int>] {
    let sorted = ranges.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
    for (first, second) in zip(sorted, sorted.dropFirst()) {
      precondition(
        first.upperBound <= second.lowerBound, "\(what) rows \(first) and \(second) overlap")
    }
    return sorted
  }

  /// Sequences of equal length that each see only themselves, such as an image encoder's.
  public static func separate(sequences: Int, length: Int, firstSample: Int = 0) -> AttentionLayout
  {
    AttentionLayout(
      groups: (0..<sequences).map { index in
        let rows = index * length..<(index + 1) * length
        let place = RandomPlace(sample: UInt32(firstSample + index))
        return Group(
          queries: [QuerySpan(rows: rows, visibleKeys: length, place: place)], keys: [rows])
      })
  }
}
