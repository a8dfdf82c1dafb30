/// Damages files. The same seed damages in the same way.
public struct Mutator {
  private var random: SeededGenerator

  public init(seed: UInt64) {
    random = SeededGenerator(seed)
  }

  public mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }

  /// A damaged copy of some bytes, not longer than twice both inputs and a little.
  /// - Parameter other: Another file, parts of which may be put in.
  public mutating func mutated(_ bytes: [UInt8], with other: [UInt8] = []) -> [UInt8] {
    var result = bytes
    for _ in 0..<changeCount() {
      guard !result.isEmpty else { return result }
      change(&result, with: other)
    }
    return result
  }

  /// A damaged copy of text that stays near the grammar of JSON: now and then other bytes as well.
  public mutating func mutatedJSON(_ bytes: [UInt8], with other: [UInt8] = []) -> [UInt8] {
    var result = bytes
    for _ in 0..<changeCount() {
      guard !result.isEmpty else { return result }
      if below(5) == 0 { change(&result, with: other) } else { changeText(&result) }
    }
    return result
  }

  /// Up to 8, mostly 1 or 2: much damage is found at its first place.
  private mutating func changeCount() -> Int { 1 << min(below(4), below(4)) }

  // MARK: Bytes

  private mutating func change(_ bytes: inout [UInt8], with other: [UInt8]) {
    let block = run(of: bytes)
    switch below(12) {
    case 0, 1: bytes[block.lowerBound] ^= 1 << UInt8(below(8))
    case 2, 3: bytes[block.lowerBound] = UInt8(below(256))
    case 4: if below(4) == 0 { bytes.removeSubrange(block.lowerBound...) }
    case 5: bytes.removeSubrange(block)
    case 6:
      let inserted = (0..<(1 + below(8))).map { _ in UInt8(below(256)) }
      bytes.insert(contentsOf: inserted, at: block.lowerBound)
    case 7: bytes.insert(contentsOf: bytes[block], at: below(bytes.count + 1))
    case 8:
      let moved = Array(bytes[block])
      bytes.removeSubrange(block)
      bytes.insert(contentsOf: moved, at: below(bytes.count + 1))
    case 9, 10: putInteger(into: &bytes)
    default:
      guard !other.isEmpty else { return }
      bytes.replaceSubrange(block, with: other[run(of: other)])
    }
  }

  /// A stretch of bytes, mostly short.
  private mutating func run(of bytes: [UInt8]) -> Range<Int> {
    let start = below(bytes.count)
    let longest = 1 << below(9)
    return start..<min(bytes.count, start + 1 + below(longest))
  }

  /// Numbers at which sizes, signs and sums go over.
  private static let integers: [UInt64] = [
    0, 1, 2, 3, 7, 8, 16, 31, 32, 63, 64, 127, 128, 255, 256, 1000, 32767, 32768, 65535, 65536,
    1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40, 1 << 62, (1 << 63) - 1,
    1 << 63, .max - 1, .max,
  ]

  /// Puts a number of 1 to 8 bytes somewhere, in either order, at a multiple of its size or not.
  private mutating func putInteger(into bytes: inout [UInt8]) {
    let width = 1 << below(4)
    guard bytes.count >= width else { return }
    var place = below(bytes.count - width + 1)
    if below(2) == 0 { place -= place % width }
    var number = Self.integers[below(Self.integers.count)]
    if below(4) == 0 { number = number &+ UInt64(below(5)) &- 2 }
    let reversed = below(2) == 0
    for index in 0..<width {
      bytes[place + (reversed ? width - 1 - index : index)] =
        UInt8(truncatingIfNeeded: number >> UInt64(8 * index))
    }
  }

  // MARK: Text

  private static let words = [
    "null", "true", "false", "0", "-0", "-1", "1e400", "1.5", "00", "9223372036854775807",
    "9223372036854775808", "-9223372036854775809", "18446744073709551616", "4294967296", "\"\"",
    "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\uD83D\\uDE00\"", "[]", "{}", "[[[[[[",
    "{\"a\":{\"a\":{\"a\":", "\u{FEFF}", "\u{0}", "\u{7F}", "é", "/", "..", "\\", "\"", "// x",
    "NaN", "Infinity", "\n", "\r\n",
  ]

  private mutating func changeText(_ bytes: inout [UInt8]) {
    let digits = bytes.indices.filter { (0x30...0x39).contains(bytes[$0]) }
    switch below(6) {
    case 0 where !digits.isEmpty:
      bytes[digits[below(digits.count)]] = UInt8(0x30 + below(10))
    case 1 where !digits.isEmpty:
      // Another number in the place of a whole one.
      let start = digits[below(digits.count)]
      let end = bytes[start...].firstIndex { !(0x30...0x39).contains($0) } ?? bytes.count
      bytes.replaceSubrange(start..<end, with: "\(Self.integers[below(Self.integers.count)])".utf8)
    case 2:
      let marks = Array("[]{}:,\"\\ -.eE0".utf8)
      bytes[below(bytes.count)] = marks[below(marks.count)]
    case 3: bytes.insert(contentsOf: Self.words[below(Self.words.count)].utf8, at: place(bytes))
    case 4:
      let (first, second) = (place(bytes), place(bytes))
      let block = Array(bytes[min(first, second)..<max(first, second)].prefix(4096))
      bytes.insert(contentsOf: block, at: place(bytes))
    default:
      let (first, second) = (place(bytes), place(bytes))
      let end = min(max(first, second), min(first, second) + 64)
      bytes.removeSubrange(min(first, second)..<end)
    }
  }

  /// A place in text, mostly beside a mark of its grammar.
  private mutating func place(_ bytes: [UInt8]) -> Int {
    let start = below(bytes.count)
    guard below(4) > 0 else { return start }
    let marks = Array("[]{}:,\"".utf8)
    return bytes[start...].firstIndex { marks.contains($0) } ?? start
  }
}
