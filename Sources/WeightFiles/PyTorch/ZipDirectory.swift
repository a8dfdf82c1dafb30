/// The table of contents of a zip file, with every offset and size held against the file.
///
/// Layout (PKWARE, APPNOTE.TXT 6.3.10): local headers each followed by their entry's bytes, then the
/// central directory, then a record that says where that begins. Checksums are not looked at: that
/// would mean to read all of a file that is mapped in order not to be read.
struct ZipDirectory {
  struct Entry {
    let name: String
    /// 0 where the bytes are stored as they are.
    let method: UInt16
    /// Where the entry's local header begins.
    let headerOffset: Int
    /// Where the entry's bytes lie in the file.
    let byteRange: Range<Int>
  }

  /// A checkpoint has an entry for each tensor; the largest public ones have some ten thousands.
  static let maximumEntryCount = 1 << 17

  let entries: [String: Entry]

  /// Reads the directory of the zip file whose bytes are `bytes`.
  ///
  /// - Throws: `FormatProblem`.
  init(_ bytes: UnsafeRawBufferPointer) throws {
    let end = try ZipEnd(bytes)
    var entries: [String: Entry] = [:]
    entries.reserveCapacity(end.entryCount)
    var position = end.directory.lowerBound
    for _ in 0..<end.entryCount {
      let record = try ZipRecord(bytes, at: position, end: end.directory.upperBound)
      position += record.byteCount
      let entry = try Self.entry(record, bytes, end: end.directory.lowerBound)
      guard entries.updateValue(entry, forKey: entry.name) == nil else {
        throw damaged("one zip entry \(entry.name)", "two")
      }
    }
    guard position == end.directory.upperBound else {
      throw damaged("a zip directory that ends at \(end.directory.upperBound)", "\(position)")
    }
    try Self.requireNoOverlap(entries.values)
    self.entries = entries
  }

  /// Follows a record to the entry's own header, which says where its bytes begin.
  private static func entry(
    _ record: ZipRecord, _ bytes: UnsafeRawBufferPointer, end: Int
  ) throws -> Entry {
    let start = record.headerOffset
    guard start <= end - 30,
      let signature = bytes.littleEndian(UInt32.self, at: start),
      let method = bytes.littleEndian(UInt16.self, at: start + 8),
      let nameCount = bytes.littleEndian(UInt16.self, at: start + 26),
      let extraCount = bytes.littleEndian(UInt16.self, at: start + 28)
    else { throw damaged("zip entry \(record.name) to begin before \(end)", "\(start)") }
    guard signature == 0x0403_4B50, method == record.method else {
      throw damaged("the header of zip entry \(record.name) at \(start)", "other bytes")
    }
    let nameEnd = start + 30 + Int(nameCount)
    let dataStart = nameEnd + Int(extraCount)
    guard dataStart <= end, record.size <= end - dataStart else {
      throw damaged(
        "\(record.size) bytes of zip entry \(record.name) from \(dataStart)",
        "the zip directory at \(end)")
    }
    guard bytes[start + 30..<nameEnd].elementsEqual(record.name.utf8) else {
      throw damaged("zip entry \(record.name) at \(start)", "one of another name")
    }
    return Entry(
      name: record.name, method: record.method, headerOffset: start,
      byteRange: dataStart..<dataStart + record.size)
  }

  private static func requireNoOverlap(_ entries: Dictionary<String, Entry>.Values) throws {
    var position = 0
    for entry in entries.sorted(by: { $0.headerOffset < $1.headerOffset }) {
      guard entry.headerOffset >= position else {
        throw damaged(
          "zip entry \(entry.name) to begin after \(position)", "\(entry.headerOffset)")
      }
      position = entry.byteRange.upperBound
    }
  }

  /// - Throws: `FormatProblem` where an entry is compressed.
  func requireStored() throws {
    guard let entry = entries.values.first(where: { $0.method != 0 }) else { return }
    throw unsupported(
      "a zip file whose entry \(entry.name) is compressed",
      remedy: "torch.save does not compress; save it again with torch, or unpack it and zip it "
        + "again with compression 0")
  }
}
