/// Where a zip file's directory lies.
struct ZipEnd {
  let entryCount: Int
  let directory: Range<Int>

  /// Finds the record at the file's end, and its 64-bit form where there is one.
  init(_ bytes: UnsafeRawBufferPointer) throws {
    guard let position = Self.position(in: bytes) else {
      throw damaged("a zip directory at the file's end", "none: the file is cut short")
    }
    guard let disk = bytes.littleEndian(UInt32.self, at: position + 4),
      let count = bytes.littleEndian(UInt16.self, at: position + 10),
      let size = bytes.littleEndian(UInt32.self, at: position + 12),
      let start = bytes.littleEndian(UInt32.self, at: position + 16)
    else { throw damaged("a zip directory at the file's end", "a part of one") }
    guard disk == 0 || disk == .max else { throw damaged("a zip file in one part", "several") }
    var (entryCount, byteCount, offset) = (UInt64(count), UInt64(size), UInt64(start))
    var limit = position
    if bytes.littleEndian(UInt32.self, at: position - 20) == 0x0706_4B50 {
      guard let place = bytes.littleEndian(UInt64.self, at: position - 12),
        let wide = Int(exactly: place), wide <= position - 76,
        bytes.littleEndian(UInt32.self, at: wide) == 0x0606_4B50,
        let wideCount = bytes.littleEndian(UInt64.self, at: wide + 32),
        let wideSize = bytes.littleEndian(UInt64.self, at: wide + 40),
        let wideStart = bytes.littleEndian(UInt64.self, at: wide + 48)
      else { throw damaged("the 64-bit record of the zip directory", "other bytes") }
      (entryCount, byteCount, offset) = (wideCount, wideSize, wideStart)
      limit = wide
    }
    guard offset <= UInt64(limit), byteCount <= UInt64(limit) - offset else {
      throw damaged(
        "a zip directory that ends before \(limit)", "\(byteCount) bytes from \(offset)")
    }
    // A record has 46 bytes and a name.
    guard entryCount <= UInt64(ZipDirectory.maximumEntryCount), entryCount <= byteCount / 46 else {
      throw damaged(
        "at most \(ZipDirectory.maximumEntryCount) zip entries of at least 46 bytes",
        "\(entryCount) in \(byteCount) bytes")
    }
    self.entryCount = Int(entryCount)
    directory = Int(offset)..<Int(offset + byteCount)
  }

  /// The last record has 22 bytes and a comment that reaches to the end of the file.
  private static func position(in bytes: UnsafeRawBufferPointer) -> Int? {
    let last = bytes.count - 22
    guard last >= 0 else { return nil }
    for position in stride(from: last, through: max(0, last - 0xFFFF), by: -1)
    where bytes[position] == 0x50
      && bytes.littleEndian(UInt32.self, at: position) == 0x0605_4B50
      && bytes.littleEndian(UInt16.self, at: position + 20).map(Int.init) == last - position
    {
      return position
    }
    return nil
  }
}

/// One record of a zip file's directory.
struct ZipRecord {
  let name: String
  let method: UInt16
  /// How many bytes of the file the entry's content takes.
  let size: Int
  let headerOffset: Int
  /// How many bytes of the directory the record takes.
  let byteCount: Int

  init(_ bytes: UnsafeRawBufferPointer, at start: Int, end: Int) throws {
    guard start <= end - 46,
      bytes.littleEndian(UInt32.self, at: start) == 0x0201_4B50,
      let flags = bytes.littleEndian(UInt16.self, at: start + 8),
      let method = bytes.littleEndian(UInt16.self, at: start + 10),
      let packed = bytes.littleEndian(UInt32.self, at: start + 20),
      let size = bytes.littleEndian(UInt32.self, at: start + 24),
      let nameCount = bytes.littleEndian(UInt16.self, at: start + 28),
      let extraCount = bytes.littleEndian(UInt16.self, at: start + 30),
      let commentCount = bytes.littleEndian(UInt16.self, at: start + 32),
      let offset = bytes.littleEndian(UInt32.self, at: start + 42)
    else { throw damaged("a record of the zip directory at \(start)", "other bytes") }
    byteCount = 46 + Int(nameCount) + Int(extraCount) + Int(commentCount)
    guard byteCount <= end - start else {
      throw damaged("records within the zip directory", "one that leaves it")
    }
    let nameEnd = start + 46 + Int(nameCount)
    guard nameCount > 0, let name = String(validating: bytes[start + 46..<nameEnd], as: UTF8.self)
    else { throw damaged("names of zip entries in UTF-8", "other bytes") }
    // Encrypted, encrypted strongly, or with its headers hidden.
    guard flags & 0x2041 == 0 else { throw damaged("open zip entries", "\(name) encrypted") }
    let extra = UnsafeRawBufferPointer(rebasing: bytes[nameEnd..<nameEnd + Int(extraCount)])
    var wide = WideFields(extra)
    guard let size = wide.resolve(size), let packed = wide.resolve(packed),
      let headerOffset = wide.resolve(offset)
    else { throw damaged("the 64-bit fields of zip entry \(name)", "none") }
    guard method != 0 || packed == size else {
      throw damaged("\(size) bytes of zip entry \(name)", "\(packed)")
    }
    self.name = name
    self.method = method
    self.size = packed
    self.headerOffset = headerOffset
  }

  /// The fields that did not fit 32 bits, in the order in which they are asked for.
  private struct WideFields {
    private var rest: UnsafeRawBufferPointer

    /// Finds the block with number 1.
    init(_ extra: UnsafeRawBufferPointer) {
      rest = UnsafeRawBufferPointer(start: nil, count: 0)
      var position = 0
      while let kind = extra.littleEndian(UInt16.self, at: position),
        let count = extra.littleEndian(UInt16.self, at: position + 2)
      {
        let body = position + 4
        guard Int(count) <= extra.count - body else { return }
        if kind == 1 {
          rest = UnsafeRawBufferPointer(rebasing: extra[body..<body + Int(count)])
          return
        }
        position = body + Int(count)
      }
    }

    mutating func resolve(_ narrow: UInt32) -> Int? {
      guard narrow == .max else { return Int(narrow) }
      guard let value = rest.littleEndian(UInt64.self, at: 0) else { return nil }
      rest = UnsafeRawBufferPointer(rebasing: rest[8...])
      return Int(exactly: value)
    }
  }
}

extension UnsafeRawBufferPointer {
  /// The number at a place, or nil where that is not within the bytes.
  func littleEndian<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type, at offset: Int
  ) -> Number? {
    guard offset >= 0, offset <= count - MemoryLayout<Number>.size else { return nil }
    return Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
  }
}
