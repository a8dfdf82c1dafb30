import Files

/// The 512 bytes before each file of a tar archive (POSIX.1-1988 ustar, with GNU's additions).
struct TarHeader {
  enum Kind {
    case file
    /// Folders, links, devices: nothing follows the header.
    case withoutContent
    /// What follows is the name of the next file (GNU).
    case longName
    /// What follows are attributes of the next file (POSIX.1-2001).
    case attributes
    /// What follows belongs to no file.
    case other
    /// A file with holes left out (GNU).
    case sparse
  }

  static let length = 512

  /// The bytes that a header and what follows it take, which fills up its last block.
  static func length(withContent size: Int) -> Int {
    length + (size + length - 1) / length * length
  }

  /// As `FileName` has it.
  let name: String
  let kind: Kind
  /// The bytes that follow, whatever files without content may state.
  let size: Int

  /// - Parameter block: ``length`` bytes, not all zero.
  /// - Throws: `Problem`.
  init(_ block: ArraySlice<UInt8>) throws {
    let bytes = Array(block)
    try Self.checkSum(bytes)
    let isPOSIX = bytes[257..<263].elementsEqual(Array("ustar\0".utf8))
    var path = Self.text(bytes[0..<100])
    // GNU keeps times where POSIX has the beginning of a long name.
    let prefix = isPOSIX ? Self.text(bytes[345..<500]) : ""
    if !prefix.isEmpty { path = prefix + "/" + path }
    name = path
    switch Unicode.Scalar(bytes[156]) {
    case "0", "7": kind = .file
    // Before POSIX, a folder was a file whose name ends in a slash.
    case "\0": kind = path.utf8.last == UInt8(ascii: "/") ? .withoutContent : .file
    case "1", "2", "3", "4", "5", "6": kind = .withoutContent
    case "L": kind = .longName
    case "x": kind = .attributes
    case "S": kind = .sparse
    default: kind = .other
    }
    let stated = try Self.number(bytes[124..<136], of: path)
    size = kind == .withoutContent ? 0 : stated
  }

  /// The sum of all bytes, those of the sum itself counted as spaces; some old programs added
  /// them with signs.
  private static func checkSum(_ bytes: [UInt8]) throws {
    let rest = bytes[..<148] + bytes[156...]
    let unsigned = rest.reduce(8 * 32) { $0 + Int($1) }
    let signed = rest.reduce(8 * 32) { $0 + Int(Int8(bitPattern: $1)) }
    guard let stated = try? octal(bytes[148..<156]), stated == unsigned || stated == signed else {
      throw Problem("the check sum of a header is wrong")
    }
  }

  /// Octal digits, or, where the first bit is set, a binary number (GNU).
  private static func number(_ field: ArraySlice<UInt8>, of name: String) throws -> Int {
    guard let first = field.first, first & 0x80 != 0 else { return try octal(field) }
    guard first == 0x80 else { throw Problem("the size of \(name) is negative or more than 2^63") }
    var value = 0
    for byte in field.dropFirst() {
      guard value < 1 << 55 else { throw Problem("the size of \(name) is more than 2^63") }
      value = value << 8 | Int(byte)
    }
    return value
  }

  private static func octal(_ field: ArraySlice<UInt8>) throws -> Int {
    let padding: Set<UInt8> = [0, 0x20]
    let digits = field.drop { $0 == 0x20 }.prefix { !padding.contains($0) }
    // 12 digits have 36 bits.
    guard digits.allSatisfy({ (0x30...0x37).contains($0) }),
      field[digits.endIndex...].allSatisfy(padding.contains)
    else { throw Problem("a header holds a number that is none") }
    return digits.reduce(0) { $0 << 3 | Int($1 & 7) }
  }

  /// The bytes up to the first zero, as a name.
  static func text(_ field: ArraySlice<UInt8>) -> String {
    FileName.text(field.prefix { $0 != 0 })
  }
}

/// The attributes that POSIX.1-2001 archives give the next file: lines `length key=value`.
struct TarAttributes {
  var path: String?
  var size: Int?
  var isSparse = false

  /// - Throws: `Problem`.
  init(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    // Some writers fill the block up with zeros.
    while let first = rest.first, first != 0 {
      let digits = rest.prefix(12).prefix { (0x30...0x39).contains($0) }
      guard let length = Int(String(decoding: digits, as: UTF8.self)), length <= rest.count,
        length > digits.count + 2, rest[digits.endIndex] == 0x20,
        rest[rest.startIndex + length - 1] == 0x0A
      else { throw Problem("the attributes of a file are not readable") }
      let line = rest[(digits.endIndex + 1)..<(rest.startIndex + length - 1)]
      rest = rest[(rest.startIndex + length)...]
      guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else {
        throw Problem("an attribute of a file has no value")
      }
      try set(
        String(decoding: line[..<equals], as: UTF8.self), FileName.text(line[(equals + 1)...]))
    }
  }

  private mutating func set(_ key: String, _ value: String) throws {
    switch key {
    case "path": path = value
    case "size":
      guard let number = Int(value), number >= 0 else {
        throw Problem("the size attribute of a file is no number of bytes")
      }
      size = number
    default: if key.hasPrefix("GNU.sparse.") { isSparse = true }
    }
  }
}
