/// Finds the longest token at a place in text, in one pass over the bytes.
///
/// Every prefix of every token is a node; the edges of all nodes lie in one open-addressing hash
/// table, because most nodes have a single successor and some have thousands.
struct TokenTrie {
  private static let absent: Int32 = -1

  /// The id of the token that ends at each node, or `absent`.
  private var tokenAtNode: [Int32] = [absent]
  /// `(node << 8 | byte) + 1` of each edge, 0 for a free slot; a power of two of slots.
  private var edgeKeys: [UInt64] = Array(repeating: 0, count: 1024)
  private var edgeTargets: [Int32] = Array(repeating: absent, count: 1024)
  private var edgeCount = 0

  /// - Precondition: `token` is not empty.
  mutating func insert(_ token: some Sequence<UInt8>, id: Int32) {
    var node: Int32 = 0
    for byte in token {
      let slot = slot(from: node, by: byte)
      if edgeKeys[slot] != 0 {
        node = edgeTargets[slot]
        continue
      }
      let next = Int32(tokenAtNode.count)
      tokenAtNode.append(Self.absent)
      edgeKeys[slot] = Self.key(from: node, by: byte)
      edgeTargets[slot] = next
      edgeCount += 1
      if edgeCount * 2 > edgeKeys.count { grow() }
      node = next
    }
    precondition(node != 0, "a token must not be empty")
    tokenAtNode[Int(node)] = id
  }

  /// The longest token that `bytes` begins with, and its length in bytes.
  func longestMatch(in bytes: Slice<UnsafeBufferPointer<UInt8>>) -> (id: Int32, byteCount: Int)? {
    var node: Int32 = 0
    var best: (id: Int32, byteCount: Int)?
    var byteCount = 0
    for byte in bytes {
      let slot = slot(from: node, by: byte)
      guard edgeKeys[slot] != 0 else { break }
      node = edgeTargets[slot]
      byteCount += 1
      let id = tokenAtNode[Int(node)]
      if id != Self.absent { best = (id, byteCount) }
    }
    return best
  }

  private static func key(from node: Int32, by byte: UInt8) -> UInt64 {
    (UInt64(UInt32(bitPattern: node)) << 8 | UInt64(byte)) + 1
  }

  /// The slot of an edge, or the free slot where it would go.
  private func slot(from node: Int32, by byte: UInt8) -> Int {
    let key = Self.key(from: node, by: byte)
    let mask = edgeKeys.count - 1
    // Multiplying by 2^64 / golden ratio spreads keys; the high bits are the well-mixed ones.
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while edgeKeys[slot] != 0 && edgeKeys[slot] != key { slot = (slot + 1) & mask }
    return slot
  }

  private mutating func grow() {
    let (oldKeys, oldTargets) = (edgeKeys, edgeTargets)
    edgeKeys = Array(repeating: 0, count: oldKeys.count * 2)
    edgeTargets = Array(repeating: Self.absent, count: oldKeys.count * 2)
    for (key, target) in zip(oldKeys, oldTargets) where key != 0 {
      let node = Int32(bitPattern: UInt32((key - 1) >> 8))
      let slot = slot(from: node, by: UInt8((key - 1) & 255))
      edgeKeys[slot] = key
      edgeTargets[slot] = target
    }
  }
}
