/// The table of a SentencePiece normaliser (`precompiled_charsmap`): the length of a double-array trie
/// (Darts-clone), the trie, and the replacements, each ended by a zero.
///
/// The library follows the trie's offsets and the replacements' places without a look at their
/// bounds, and reserves room for 32 rules that apply at one place. Every node that a text can lead
/// to is visited here, so that none of them leads out of the table.
enum NormalizerTable {
  /// Ten times the size of the largest that the library comes with.
  private static let maximumByteCount = 4 << 20
  /// The longest in NFKC has 33 bytes; bounds how much longer than itself a text can become.
  private static let maximumReplacementByteCount = 255
  private static let maximumRulesAtOnePlace = 32

  /// - Throws: `TokenizerError`.
  static func check(_ table: ArraySlice<UInt8>, file: String) throws {
    guard !table.isEmpty else { return }
    func damaged(_ expected: String, _ found: String) -> TokenizerError {
      FilePlace(file: file, place: "the normaliser's table").damaged(expected, found)
    }
    guard table.count <= maximumByteCount else {
      throw damaged("at most \(maximumByteCount) bytes", "\(table.count)")
    }
    guard table.count > 4 else { throw damaged("more than 4 bytes", "\(table.count)") }
    let trieByteCount = Int(integer(table.prefix(4)))
    guard trieByteCount > 0, trieByteCount % 4 == 0, trieByteCount < table.count - 4 else {
      throw damaged("a trie within its \(table.count) bytes", "one of \(trieByteCount) bytes")
    }
    let body = table.dropFirst(4)
    let replacements = body.dropFirst(trieByteCount)
    guard replacements.last == 0, String(validating: replacements, as: UTF8.self) != nil else {
      throw damaged("replacements in UTF-8, each ended by a zero", "others")
    }
    let longest = replacements.split(separator: 0).map(\.count).max() ?? 0
    guard longest <= maximumReplacementByteCount else {
      throw damaged("replacements of at most \(maximumReplacementByteCount) bytes", "\(longest)")
    }
    let trie = body.prefix(trieByteCount)
    let units = stride(from: trie.startIndex, to: trie.endIndex, by: 4).map {
      Unit(bits: integer(trie[$0..<$0 + 4]))
    }
    var walk = TrieWalk(units, replacementByteCount: replacements.count)
    guard let rules = walk.mostRules(behind: units[0].offset, depth: 0),
      rules <= maximumRulesAtOnePlace
    else {
      throw damaged("a trie that stays within its bounds", "another")
    }
  }

  private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// A node of the trie, as darts.h packs it.
  private struct Unit {
    let bits: UInt32

    var hasLeaf: Bool { bits >> 8 & 1 == 1 }
    var value: Int { Int(bits & 0x7FFF_FFFF) }
    var label: UInt32 { bits & 0x8000_00FF }
    var offset: Int { Int((bits >> 10) << ((bits & 1 << 9) >> 6)) }
  }

  /// Visits each place that successors lie at once: rules that end alike share theirs.
  private struct TrieWalk {
    /// Longer than any rule, in bytes.
    private static let maximumDepth = 256
    private static let unknown: Int16 = -1
    private static let underWay: Int16 = -2

    private let units: [Unit]
    private let replacementByteCount: Int
    /// By place, how many rules end on the way from there at most.
    private var ruleCounts: [Int16]

    init(_ units: [Unit], replacementByteCount: Int) {
      self.units = units
      self.replacementByteCount = replacementByteCount
      ruleCounts = Array(repeating: Self.unknown, count: units.count)
    }

    /// How many rules end on the way from a node at most; nil where a way leads out of the table,
    /// into a circle or too far.
    ///
    /// - Parameter base: Where the node's successors lie.
    mutating func mostRules(behind base: Int, depth: Int) -> Int? {
      // Any byte may follow in a text.
      guard depth <= Self.maximumDepth, base | 0xFF < units.count,
        ruleCounts[base] != Self.underWay
      else { return nil }
      if ruleCounts[base] != Self.unknown { return Int(ruleCounts[base]) }
      ruleCounts[base] = Self.underWay
      var most = 0
      for label in 0..<256 {
        let place = base ^ label
        let unit = units[place]
        guard unit.label == UInt32(label) else { continue }
        let next = place ^ unit.offset
        guard let rules = mostRules(behind: next, depth: depth + 1),
          !unit.hasLeaf || units[next].value < replacementByteCount
        else { return nil }
        most = max(most, rules + (unit.hasLeaf ? 1 : 0))
      }
      ruleCounts[base] = Int16(most)
      return most
    }
  }
}
