/// Many strings in one block of memory: 8 bytes each beside their text.
struct StringTable: Sendable {
  private var text: [UInt8] = []
  private var ends: [Int] = []

  var count: Int { ends.count }

  mutating func append(_ string: String) {
    text.append(contentsOf: string.utf8)
    ends.append(text.count)
  }

  /// The UTF-8 bytes of a string.
  func bytes(at index: Int) -> ArraySlice<UInt8> {
    text[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
  }

  subscript(index: Int) -> String { String(decoding: bytes(at: index), as: UTF8.self) }
}
