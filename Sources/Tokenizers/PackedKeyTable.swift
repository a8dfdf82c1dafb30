/// A hash table with open addressing, for keys that are packed into 64 bits: a text looks up some three
/// for each of its bytes.
struct PackedKeyTable<Value: Sendable>: Sendable {
  /// No key is this.
  private static var free: UInt64 { .max }

  private let filler: Value
  /// A power of two of slots.
  private var keys: [UInt64]
  private var values: [Value]
  private(set) var count = 0

  /// - Parameter filler: What free slots hold.
  init(filler: Value) {
    self.filler = filler
    keys = Array(repeating: Self.free, count: 1024)
    values = Array(repeating: filler, count: 1024)
  }

  subscript(key: UInt64) -> Value? {
    let slot = slot(of: key)
    return keys[slot] == key ? values[slot] : nil
  }

  /// - Returns: False where the key is there already, which keeps its value.
  mutating func insert(_ value: Value, for key: UInt64) -> Bool {
    let slot = slot(of: key)
    guard keys[slot] == Self.free else { return false }
    keys[slot] = key
    values[slot] = value
    count += 1
    if count * 2 > keys.count { grow() }
    return true
  }

  /// The slot of a key, or the free slot where it would go.
  private func slot(of key: UInt64) -> Int {
    let mask = keys.count - 1
    // Multiplying by 2^64 / golden ratio spreads keys; the high bits are the well-mixed ones.
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    while keys[slot] != Self.free && keys[slot] != key { slot = (slot + 1) & mask }
    return slot
  }

  private mutating func grow() {
    let (oldKeys, oldValues) = (keys, values)
    keys = Array(repeating: Self.free, count: oldKeys.count * 2)
    values = Array(repeating: filler, count: oldKeys.count * 2)
    for (key, value) in zip(oldKeys, oldValues) where key != Self.free {
      let slot = slot(of: key)
      keys[slot] = key
      values[slot] = value
    }
  }
}
