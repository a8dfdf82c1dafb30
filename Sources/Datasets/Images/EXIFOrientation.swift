/// How the stored image must be turned to stand upright: the EXIF tag 0x0112, values 1 to 8, or the
/// property of XMP that says the same.
///
/// Whatever is missing, damaged or out of range counts as upright: the tag is a hint beside a
/// image that is good without it.
enum EXIFOrientation: UInt16, Sendable {
  case upright = 1
  case mirrored
  case halfTurn
  case flipped
  case transposed
  case quarterTurnRight
  case transversed
  case quarterTurnLeft

  /// Whether width and height change places.
  var swapsSides: Bool { rawValue >= EXIFOrientation.transposed.rawValue }

  /// - Parameters:
  ///   - exif: TIFF structures, the form in which EXIF is stored, with JPEG's prefix or without; the first
  ///     one counts that has the tag.
  ///   - xmp: Documents of XMP, asked where none has.
  init(exif: [[UInt8]], xmp: [[UInt8]]) {
    self =
      exif.lazy.compactMap { bytes in
        let start = bytes.starts(with: Self.prefix) ? Self.prefix.count : 0
        return bytes[start...].withUnsafeBytes { Self.tag(inTIFF: ByteReader($0)) }
      }.first ?? xmp.lazy.compactMap(Self.property(inXMP:)).first ?? .upright
  }

  private static let prefix = Array("Exif\0\0".utf8)
  private static let xmpPrefix = Array("http://ns.adobe.com/xap/1.0/\0".utf8)

  /// Reads the APP1 segments of a JPEG file, up to the first scan.
  init(inJPEG bytes: UnsafeRawBufferPointer) {
    let segments = JPEGSegment.all(in: bytes, pastScans: false).filter { $0.marker == 0xE1 }
      .map { Array(bytes[$0.body]) }
    self.init(
      exif: segments.filter { $0.starts(with: Self.prefix) },
      xmp: segments.filter { $0.starts(with: Self.xmpPrefix) })
  }

  /// Reads the `EXIF` and `XMP ` chunks of a WebP file.
  init(inWebP bytes: UnsafeRawBufferPointer) {
    let reader = ByteReader(bytes)
    var chunks: [String: [[UInt8]]] = [:]
    var offset = 12
    while let size = reader.number(at: offset + 4, big: false, as: UInt32.self) {
      if let name = reader.slice(from: offset, count: 4),
        let body = reader.slice(from: offset + 8, count: Int(size))
      {
        let kind = String(decoding: name, as: UTF8.self)
        // The pixels are copied for nobody.
        if ["EXIF", "XMP "].contains(kind) { chunks[kind, default: []].append(Array(body)) }
      }
      offset += 8 + Int(size) + Int(size & 1)
    }
    self.init(exif: chunks["EXIF"] ?? [], xmp: chunks["XMP "] ?? [])
  }

  /// The bytes of the profile that ImageMagick writes as text into a PNG: three lines, of which the last is
  /// the length, and hexadecimal digits.
  static func profile(_ text: [UInt8]) -> [UInt8] {
    let digits = text.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
      .dropFirst(3).joined()
      .compactMap { Character(Unicode.Scalar($0)).hexDigitValue.map { UInt8($0) } }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  /// `tiff:Orientation="6"` or `<tiff:Orientation>6<`.
  private static func property(inXMP bytes: [UInt8]) -> EXIFOrientation? {
    let name = Array("tiff:Orientation".utf8)
    var rest = bytes[...]
    while let start = rest.firstIndex(of: name[0]) {
      rest = rest[start...]
      guard rest.starts(with: name) else {
        rest = rest.dropFirst()
        continue
      }
      rest = rest.dropFirst(name.count)
      let value = rest.drop { " \t\r\n=>\"'".utf8.contains($0) }.prefix(2)
      if let digit = value.first, value.count == 2, !(0x30...0x39).contains(value.last ?? 0),
        let orientation = EXIFOrientation(rawValue: UInt16(digit &- 0x30))
      {
        return orientation
      }
    }
    return nil
  }

  private static func tag(inTIFF reader: ByteReader) -> EXIFOrientation? {
    // "II" where the low bytes of numbers come first, "MM" where the high ones do.
    guard let order: UInt16 = reader.number(at: 0, big: true), order == 0x4949 || order == 0x4D4D
    else { return nil }
    func number<Number: FixedWidthInteger>(at offset: Int) -> Number? {
      reader.number(at: offset, big: order == 0x4D4D)
    }
    guard number(at: 2) == UInt16(42), let start: UInt32 = number(at: 4),
      let count: UInt16 = number(at: Int(start))
    else { return nil }
    for entry in 0..<Int(count) {
      let offset = Int(start) + 2 + entry * 12
      guard let tag: UInt16 = number(at: offset) else { return nil }
      guard tag == 0x0112 else { continue }
      // A SHORT, as the standard has it, or a LONG.
      switch number(at: offset + 2) as UInt16? {
      case 3: return number(at: offset + 8).flatMap(EXIFOrientation.init(rawValue:))
      case 4:
        let value: UInt32? = number(at: offset + 8)
        return value.flatMap { EXIFOrientation(rawValue: UInt16(clamping: $0)) }
      default: return nil
      }
    }
    return nil
  }
}

/// Bounds-checked reads of numbers from bytes.
struct ByteReader {
  private let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// A number of 16 or 32 bits.
  func number<Number: FixedWidthInteger>(
    at offset: Int, big: Bool, as type: Number.Type = Number.self
  ) -> Number? {
    guard let bytes = slice(from: offset, count: MemoryLayout<Number>.size) else { return nil }
    let number = bytes.loadUnaligned(as: Number.self)
    return big ? Number(bigEndian: number) : Number(littleEndian: number)
  }

  func slice(from offset: Int, count: Int) -> UnsafeRawBufferPointer? {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      return nil
    }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
  }
}
