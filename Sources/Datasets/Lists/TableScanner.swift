/// Reads the rows of comma- or tab-separated text one after another (RFC 4180).
///
/// A field in quotation marks may hold separators, line ends and, doubled, quotation marks; a
/// quotation mark within a field that does not begin with one is a character like others. Lines end
/// with LF, CR LF or CR; empty lines do not count. Whatever the bytes are, the result is a row or a
/// ``Failure``.
struct TableScanner {
  struct Failure: Error {
    /// The byte at which reading stopped.
    var offset: Int
    var problem: String
  }

  enum Separator: UInt8, CaseIterable {
    case comma = 0x2C
    case tab = 0x09
    case semicolon = 0x3B
    case bar = 0x7C

    var name: String { "\(self)" }
  }

  /// One row; its fields are bytes of the file, quotation marks and all.
  struct Row {
    /// Where the row begins.
    var offset: Int
    var fields: [Field]
  }

  struct Field {
    /// What stands between the separators, or between the quotation marks.
    var range: Range<Int>
    /// Whether quotation marks within are doubled.
    var hasDoubledQuotes: Bool
  }

  /// The most bytes of one field.
  static let fieldLimit = 1 << 20
  /// The most fields of a row.
  static let fieldCountLimit = 4096

  private static let quote = UInt8(ascii: "\"")

  let bytes: UnsafeBufferPointer<UInt8>
  let separator: Separator
  private(set) var offset = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>, separator: Separator) {
    self.bytes = bytes
    self.separator = separator
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { offset = 3 }
  }

  /// The next row that is not an empty line; nil at the end.
  mutating func row() throws -> Row? {
    while offset < bytes.count, Self.isLineEnd(bytes[offset]) { offset += 1 }
    guard offset < bytes.count else { return nil }
    var row = Row(offset: offset, fields: [])
    while true {
      guard row.fields.count < Self.fieldCountLimit else {
        throw failure("has more than \(Self.fieldCountLimit) columns")
      }
      row.fields.append(try field())
      guard offset < bytes.count, bytes[offset] == separator.rawValue else { break }
      offset += 1
    }
    skipLineEnd()
    return row
  }

  /// What a field says, whether it is UTF-8 or not.
  func bytes(_ field: Field) -> [UInt8] {
    let text = bytes[field.range]
    guard field.hasDoubledQuotes else { return Array(text) }
    var undoubled: [UInt8] = []
    undoubled.reserveCapacity(text.count)
    var isSecond = false
    for byte in text {
      isSecond = byte == Self.quote && !isSecond
      if !isSecond { undoubled.append(byte) }
    }
    return undoubled
  }

  /// The line of a byte, counted from 1.
  func line(of offset: Int) -> Int {
    var line = 1
    for place in 0..<min(offset, bytes.count) {
      let isPair = bytes[place] == 0x0D && place + 1 < bytes.count && bytes[place + 1] == 0x0A
      if Self.isLineEnd(bytes[place]) && !isPair { line += 1 }
    }
    return line
  }

  private mutating func field() throws -> Field {
    if offset < bytes.count, bytes[offset] == Self.quote { return try quotedField() }
    let start = offset
    offset = bytes[start...].firstIndex(where: endsField) ?? bytes.count
    return try bounded(Field(range: start..<offset, hasDoubledQuotes: false))
  }

  private mutating func quotedField() throws -> Field {
    let opening = offset
    var hasDoubledQuotes = false
    offset += 1
    while offset < bytes.count {
      guard bytes[offset] == Self.quote else {
        offset += 1
        continue
      }
      guard offset + 1 < bytes.count, bytes[offset + 1] == Self.quote else {
        let field = Field(range: (opening + 1)..<offset, hasDoubledQuotes: hasDoubledQuotes)
        offset += 1
        guard offset == bytes.count || endsField(bytes[offset]) else {
          throw failure(
            "expected a \(separator.name) or the end of the line after a closing quotation mark; "
              + "double the quotation marks within a text")
        }
        return try bounded(field)
      }
      hasDoubledQuotes = true
      offset += 2
    }
    throw Failure(offset: opening, problem: "the quotation mark that opens a field is never closed")
  }

  private func endsField(_ byte: UInt8) -> Bool {
    byte == separator.rawValue || Self.isLineEnd(byte)
  }

  private func bounded(_ field: Field) throws -> Field {
    guard field.range.count <= Self.fieldLimit else {
      throw Failure(
        offset: field.range.lowerBound,
        problem: "a field has \(field.range.count) bytes, more than the limit of "
          + "\(Self.fieldLimit); is a quotation mark missing?")
    }
    return field
  }

  private mutating func skipLineEnd() {
    guard offset < bytes.count else { return }
    if bytes[offset] == 0x0D { offset += 1 }
    if offset < bytes.count, bytes[offset] == 0x0A { offset += 1 }
  }

  private func failure(_ problem: String) -> Failure { Failure(offset: offset, problem: problem) }

  private static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
}
