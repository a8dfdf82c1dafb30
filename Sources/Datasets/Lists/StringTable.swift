import Files

/// Many strings in one block of memory: 8 bytes each beside their text.
struct StringTable: Sendable {
  private var text: [UInt8] = []
  private var ends: [Int] = []

  var count: Int { ends.count }

  mutating func append(_ string: String) {
    text.append(contentsOf: string.utf8)
    ends.append(text.count)
  }

  /// Appends a name by the bytes that it has for the system, to be read by ``name(at:)``.
  mutating func append(name: String) {
    text.append(contentsOf: FileName.bytes(name))
    ends.append(text.count)
  }

  /// The bytes of a string.
  func bytes(at index: Int) -> ArraySlice<UInt8> {
    text[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
  }

  /// A name, as ``FileName`` has it.
  func name(at index: Int) -> String { FileName.text(bytes(at: index)) }

  subscript(index: Int) -> String { String(decoding: bytes(at: index), as: UTF8.self) }
}
