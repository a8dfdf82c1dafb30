import Files

/// Writes a zip file of stored entries, whose bytes begin at multiples of 64 as in torch's own files
/// (PKWARE, APPNOTE.TXT 6.3.10). No times are noted: the same entries give the same bytes.
struct ZipWriter {
  static let alignment = 64

  private let file: OpenFile
  /// Sizes and places from this one on are given in 64 bits.
  private let firstWide: Int
  private var length = 0
  private var directory: [UInt8] = []
  private var entryCount = 0

  /// - Parameters:
  ///   - file: An empty file.
  ///   - firstWide: Where a test wants 64 bits sooner.
  init(_ file: OpenFile, firstWide: Int = Int(UInt32.max)) {
    self.file = file
    self.firstWide = firstWide
  }

  mutating func add(_ name: String, _ content: [UInt8]) throws {
    try add(name, byteCount: content.count) { append in try content.withUnsafeBytes(append) }
  }

  /// - Parameters:
  ///   - byteCount: The length of the content.
  ///   - write: Hands the content on, in pieces.
  mutating func add(
    _ name: String, byteCount: Int,
    _ write: (_ append: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let start = length
    let header = header(name, byteCount, at: start)
    try file.append(header)
    var (checksum, written) = (CRC32.zip, 0)
    try write { piece in
      checksum.update(piece)
      written += piece.count
      try file.append(piece)
    }
    precondition(written == byteCount, "\(written) bytes of \(byteCount) of \(name)")
    length += header.count + byteCount
    var bytes: [UInt8] = []
    bytes.append(littleEndian: checksum.value)
    try bytes.withUnsafeBytes { try file.write($0, at: start + Self.checksumOffset) }
    note(name, byteCount, checksum.value, at: start)
  }

  /// Writes the table of contents.
  mutating func finish() throws {
    let (start, size) = (length, directory.count)
    var end = directory
    let isWide = start + size >= firstWide || entryCount >= UInt16.max
    if isWide {
      end += [0x50, 0x4B, 6, 6]
      end.append(littleEndian: UInt64(44))
      end.append(littleEndian: Self.version, Self.version)
      end.append(littleEndian: UInt32(0), 0)
      end.append(littleEndian: UInt64(entryCount), UInt64(entryCount), UInt64(size), UInt64(start))
      end += [0x50, 0x4B, 6, 7]
      end.append(littleEndian: UInt32(0))
      end.append(littleEndian: UInt64(start + size))
      end.append(littleEndian: UInt32(1))
    }
    let count = isWide ? UInt16.max : UInt16(entryCount)
    end += [0x50, 0x4B, 5, 6, 0, 0, 0, 0]
    end.append(littleEndian: count, count)
    end.append(littleEndian: isWide ? UInt32.max : UInt32(size), isWide ? .max : UInt32(start))
    end.append(littleEndian: UInt16(0))
    try file.append(end)
  }

  /// What reads a file with 64-bit fields: 4.5 of the format.
  private static let version: UInt16 = 45
  /// Where an entry's header has the checksum, which is known when the content has been written.
  private static let checksumOffset = 14

  /// What stands in front of an entry's content.
  private func header(_ name: String, _ byteCount: Int, at start: Int) -> [UInt8] {
    var extra = wideFields(byteCount >= firstWide ? [byteCount, byteCount] : [])
    let unpadded = start + 30 + name.utf8.count + extra.count + 4
    let padding = -unpadded & (Self.alignment - 1)
    extra += Array("FB".utf8)
    extra.append(littleEndian: UInt16(padding))
    extra += repeatElement(UInt8(ascii: "Z"), count: padding)
    var header: [UInt8] = [0x50, 0x4B, 3, 4] + fields(name, byteCount, checksum: 0)
    header.append(littleEndian: UInt16(extra.count))
    return header + name.utf8 + extra
  }

  /// Adds an entry to the table of contents.
  private mutating func note(_ name: String, _ byteCount: Int, _ checksum: UInt32, at start: Int) {
    let sizes = byteCount >= firstWide ? [byteCount, byteCount] : []
    let extra = wideFields(sizes + (start >= firstWide ? [start] : []))
    directory += [0x50, 0x4B, 1, 2]
    directory.append(littleEndian: Self.version)
    directory += fields(name, byteCount, checksum: checksum)
    directory.append(littleEndian: UInt16(extra.count))
    directory += repeatElement(0, count: 10)
    directory.append(littleEndian: narrow(start))
    directory += name.utf8
    directory += extra
    entryCount += 1
  }

  /// What an entry's header and its place in the table of contents have in common.
  private func fields(_ name: String, _ byteCount: Int, checksum: UInt32) -> [UInt8] {
    var fields: [UInt8] = []
    // No flags, stored as it is, no time.
    fields.append(littleEndian: Self.version, 0, 0, 0, 0)
    fields.append(littleEndian: checksum, narrow(byteCount), narrow(byteCount))
    fields.append(littleEndian: UInt16(name.utf8.count))
    return fields
  }

  private func narrow(_ number: Int) -> UInt32 { number >= firstWide ? .max : UInt32(number) }

  /// The extra field of the numbers that `narrow` leaves out.
  private func wideFields(_ numbers: [Int]) -> [UInt8] {
    guard !numbers.isEmpty else { return [] }
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt16(1), UInt16(8 * numbers.count))
    for number in numbers { bytes.append(littleEndian: UInt64(number)) }
    return bytes
  }
}
