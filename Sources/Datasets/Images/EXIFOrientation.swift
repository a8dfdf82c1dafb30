/// How the stored image must be turned to stand upright: the EXIF tag 0x0112, values 1 to 8.
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

  /// Reads the first directory of a TIFF structure, the form in which EXIF is stored.
  init(inTIFF bytes: UnsafeRawBufferPointer) {
    self = Self.tag(inTIFF: ByteReader(bytes)) ?? .upright
  }

  /// Reads the APP1 segment of a JPEG file, walking the segments up to the first scan.
  init(inJPEG bytes: UnsafeRawBufferPointer) {
    let reader = ByteReader(bytes)
    var offset = 2
    while let first = reader.byte(at: offset), first == 0xFF,
      let marker = reader.byte(at: offset + 1)
    {
      if marker == 0xFF {  // Padding before a marker.
        offset += 1
        continue
      }
      guard marker != 0xDA, marker != 0xD9, let length = reader.word(at: offset + 2, big: true),
        length >= 2
      else { break }
      let body = reader.slice(from: offset + 4, count: Int(length) - 2)
      if marker == 0xE1, let body, body.starts(with: Array("Exif\0\0".utf8)) {
        self.init(inTIFF: UnsafeRawBufferPointer(rebasing: body[6...]))
        return
      }
      offset += 2 + Int(length)
    }
    self = .upright
  }

  /// Reads the `EXIF` chunk of a WebP file.
  init(inWebP bytes: UnsafeRawBufferPointer) {
    let reader = ByteReader(bytes)
    var offset = 12
    while let size = reader.longWord(at: offset + 4, big: false) {
      if let body = reader.slice(from: offset + 8, count: Int(size)),
        reader.slice(from: offset, count: 4)?.elementsEqual("EXIF".utf8) == true
      {
        // Some writers put JPEG's prefix in front of the structure.
        let prefix = body.starts(with: Array("Exif\0\0".utf8)) ? 6 : 0
        self.init(inTIFF: UnsafeRawBufferPointer(rebasing: body[prefix...]))
        return
      }
      offset += 8 + Int(size) + Int(size & 1)
    }
    self = .upright
  }

  private static func tag(inTIFF reader: ByteReader) -> EXIFOrientation? {
    guard let byteOrder = reader.byte(at: 0), byteOrder == reader.byte(at: 1),
      byteOrder == UInt8(ascii: "M") || byteOrder == UInt8(ascii: "I")
    else { return nil }
    let big = byteOrder == UInt8(ascii: "M")
    guard reader.word(at: 2, big: big) == 42, let start = reader.longWord(at: 4, big: big),
      let count = reader.word(at: Int(start), big: big)
    else { return nil }
    for entry in 0..<Int(count) {
      let offset = Int(start) + 2 + entry * 12
      guard let tag = reader.word(at: offset, big: big) else { return nil }
      if tag == 0x0112, reader.word(at: offset + 2, big: big) == 3 {
        return reader.word(at: offset + 8, big: big).flatMap(EXIFOrientation.init(rawValue:))
      }
    }
    return nil
  }
}

/// Bounds-checked reads of numbers from bytes.
struct ByteReader {
  private let bytes: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  func byte(at offset: Int) -> UInt8? { bytes.indices.contains(offset) ? bytes[offset] : nil }

  /// A 16-bit number.
  func word(at offset: Int, big: Bool) -> UInt16? {
    guard let first = byte(at: offset), let second = byte(at: offset + 1) else { return nil }
    return big ? UInt16(first) << 8 | UInt16(second) : UInt16(second) << 8 | UInt16(first)
  }

  /// A 32-bit number.
  func longWord(at offset: Int, big: Bool) -> UInt32? {
    guard let first = word(at: offset, big: big), let second = word(at: offset + 2, big: big) else {
      return nil
    }
    return big ? UInt32(first) << 16 | UInt32(second) : UInt32(second) << 16 | UInt32(first)
  }

  func slice(from offset: Int, count: Int) -> UnsafeRawBufferPointer? {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else {
      return nil
    }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
  }
}
