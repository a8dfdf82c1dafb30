/// A name, path or other text that is itself by its exact bytes: a key of dictionaries, and an order.
public struct NameKey: Hashable, Comparable, Sendable {
  /// The text, as ``FileName`` has it.
  public let text: String

  public init(_ text: String) { self.text = text }

  public static func == (first: NameKey, second: NameKey) -> Bool {
    first.text.utf8.elementsEqual(second.text.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    let isHashed: Void? = text.utf8.withContiguousStorageIfAvailable {
      hasher.combine(bytes: UnsafeRawBufferPointer($0))
    }
    if isHashed == nil { Array(text.utf8).withUnsafeBytes { hasher.combine(bytes: $0) } }
    // Or "ab", "c" would be as "a", "bc" in a key of several.
    hasher.combine(UInt8(0xFF))
  }

  /// By the bytes of the name on the disk, as `LC_ALL=C ls` lists.
  public static func < (first: NameKey, second: NameKey) -> Bool {
    guard FileName.isPlain(first.text), FileName.isPlain(second.text) else {
      return FileName.bytes(first.text).lexicographicallyPrecedes(FileName.bytes(second.text))
    }
    return first.text.utf8.lexicographicallyPrecedes(second.text.utf8)
  }
}
