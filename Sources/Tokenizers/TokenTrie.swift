/// Finds the longest token at a place in text, in one pass over the bytes.
///
/// Every prefix of every token is a node; the edges of all nodes lie in one table, because most nodes
/// have a single successor and some have thousands.
struct TokenTrie {
  /// Public models have some thousand literals of some ten bytes.
  private static let maximumLiteralByteCount = 1024
  private static let maximumTotalByteCount = 1 << 20
  private static let absent: Int32 = -1

  /// The id of the token that ends at each node, or `absent`.
  private var tokenAtNode: [Int32] = [absent]
  /// The nodes to which edges lead.
  private var edges = PackedKeyTable(filler: absent)

  init() {}

  /// The tokens of `vocabulary` that stand in texts for themselves.
  ///
  /// - Throws: `TokenizerError` where they are so long that looking for them would take very long, or
  ///   so many that the table would take much memory.
  init(literals ids: Set<Int32>, of vocabulary: TokenNames) throws {
    let literals = ids.compactMap { id in vocabulary.tokens[Int(id)].map { (text: $0, id: id) } }
    for (text, _) in literals where text.count > Self.maximumLiteralByteCount {
      throw vocabulary.place("added token \(TokenizerFile.excerpt(text))")
        .damaged("at most \(Self.maximumLiteralByteCount) bytes", "\(text.count)")
    }
    let byteCount = literals.reduce(0) { $0 + $1.text.count }
    guard byteCount <= Self.maximumTotalByteCount else {
      throw vocabulary.place("added tokens")
        .damaged("at most \(Self.maximumTotalByteCount) bytes in all", "\(byteCount)")
    }
    for (text, id) in literals { insert(text, id: id) }
  }

  /// - Precondition: `token` is not empty.
  mutating func insert(_ token: some Sequence<UInt8>, id: Int32) {
    var node: Int32 = 0
    for byte in token {
      let edge = Self.edge(from: node, by: byte)
      node = edges[edge] ?? Int32(tokenAtNode.count)
      if edges.insert(node, for: edge) { tokenAtNode.append(Self.absent) }
    }
    precondition(node != 0, "a token must not be empty")
    tokenAtNode[Int(node)] = id
  }

  private static func edge(from node: Int32, by byte: UInt8) -> UInt64 {
    UInt64(UInt32(bitPattern: node)) << 8 | UInt64(byte)
  }

  /// The longest token that `bytes` begins with, and its length in bytes.
  func longestMatch(in bytes: Slice<UnsafeBufferPointer<UInt8>>) -> (id: Int32, byteCount: Int)? {
    var node: Int32 = 0
    var best: (id: Int32, byteCount: Int)?
    var byteCount = 0
    for byte in bytes {
      guard let next = edges[Self.edge(from: node, by: byte)] else { break }
      node = next
      byteCount += 1
      let id = tokenAtNode[Int(node)]
      if id != Self.absent { best = (id, byteCount) }
    }
    return best
  }

  /// The ids of `text`, cut at the tokens of this trie: the leftmost token first, and of those that
  /// begin at the same place the longest.
  ///
  /// - Parameters:
  ///   - limit: The most ids; text beyond them is not looked at.
  ///   - encodeStretch: Appends the ids of what stands between two tokens, UTF-8 and never empty.
  func encode(
    _ text: String, limit: Int = .max,
    _ encodeStretch: (_ text: UnsafeBufferPointer<UInt8>, _ ids: inout [Int32]) -> Void
  ) -> [Int32] {
    var text = text
    var ids: [Int32] = []
    text.withUTF8 { bytes in
      var start = 0
      func appendStretch(to end: Int) {
        guard start < end, ids.count < limit else { return }
        encodeStretch(UnsafeBufferPointer(rebasing: bytes[start..<end]), &ids)
      }
      var position = 0
      while position < bytes.count, ids.count < limit {
        guard let token = longestMatch(in: bytes[position...]) else {
          position += 1
          continue
        }
        appendStretch(to: position)
        ids.append(token.id)
        position += token.byteCount
        start = position
      }
      appendStretch(to: bytes.count)
    }
    return ids.count > limit ? Array(ids.prefix(limit)) : ids
  }
}
