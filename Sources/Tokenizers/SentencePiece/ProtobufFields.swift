/// Walks through the fields of a Protocol Buffers message, one level deep.
struct ProtobufFields {
  enum Value {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    /// A string, bytes or a message: its place in the file.
    case bytes(Range<Int>)
  }

  struct Field {
    let number: Int
    let value: Value
    /// Where it begins in the file.
    let position: Int
  }

  private let bytes: [UInt8]
  private let file: String
  private let end: Int
  private var position: Int

  init(_ bytes: [UInt8], in range: Range<Int>, file: String) {
    self.bytes = bytes
    self.file = file
    position = range.lowerBound
    end = range.upperBound
  }

  /// The next field; nil at the message's end.
  ///
  /// - Throws: `TokenizerError` for what is no message, or has groups, which are long out of use.
  mutating func next() throws -> Field? {
    guard position < end else { return nil }
    let start = position
    let tag = try varint()
    guard let number = Int(exactly: tag >> 3), (1..<1 << 29).contains(number) else {
      throw damaged(start, "a field number", "\(tag >> 3)")
    }
    switch tag & 7 {
    case 0: return Field(number: number, value: .varint(try varint()), position: start)
    case 1:
      return Field(number: number, value: .fixed64(try fixed(byteCount: 8)), position: start)
    case 2:
      let count = try varint()
      guard count <= UInt64(end - position) else {
        throw damaged(start, "at most \(end - position) bytes", "\(count)")
      }
      defer { position += Int(count) }
      return Field(
        number: number, value: .bytes(position..<position + Int(count)), position: start)
    case 5:
      let value = UInt32(truncatingIfNeeded: try fixed(byteCount: 4))
      return Field(number: number, value: .fixed32(value), position: start)
    case let type: throw damaged(start, "a field of type 0, 1, 2 or 5", "type \(type)")
    }
  }

  private func damaged(
    _ position: Int, _ expected: String, _ found: String
  ) -> TokenizerError {
    FilePlace(file: file, place: "byte \(position)").damaged(expected, found)
  }

  private mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < end else { break }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw damaged(position, "a number of at most ten bytes", "none")
  }

  private mutating func fixed(byteCount: Int) throws -> UInt64 {
    guard end - position >= byteCount else {
      throw damaged(position, "\(byteCount) bytes", "\(end - position)")
    }
    defer { position += byteCount }
    return bytes[position..<position + byteCount].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
