@testable import Datasets

/// Writes small PNG files for tests: uncompressed, one chunk of each kind.
enum PNGMaker {
  /// - Parameters:
  ///   - colorType: 0 gray, 2 colour, 4 gray with alpha, 6 colour with alpha.
  ///   - samples: The rows without filter bytes, most significant byte first.
  ///   - extra: Chunks between the header and the pixels.
  static func file(
    width: Int, height: Int, bitDepth: UInt8 = 8, colorType: UInt8 = 2, samples: [UInt8],
    extra: [(type: String, body: [UInt8])] = []
  ) -> [UInt8] {
    let rowLength = samples.count / height
    let rows = (0..<height).flatMap { row in
      [0] + samples[(row * rowLength)..<((row + 1) * rowLength)]
    }
    let header = bigEndian(width) + bigEndian(height) + [bitDepth, colorType, 0, 0, 0]
    var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    file += chunk("IHDR", header)
    for (type, body) in extra { file += chunk(type, body) }
    return file + chunk("IDAT", zlib(rows)) + chunk("IEND", [])
  }

  static func file(_ image: RGBImage, extra: [(type: String, body: [UInt8])] = []) -> [UInt8] {
    file(width: image.width, height: image.height, samples: image.pixels, extra: extra)
  }

  private static func chunk(_ type: String, _ body: [UInt8]) -> [UInt8] {
    let typed = Array(type.utf8) + body
    return bigEndian(body.count) + typed + bigEndian(Int(crc(typed)))
  }

  /// A zlib stream of stored blocks.
  private static func zlib(_ bytes: [UInt8]) -> [UInt8] {
    var stream: [UInt8] = [0x78, 0x01]
    for start in stride(from: 0, to: bytes.count, by: 65535) {
      let end = min(start + 65535, bytes.count)
      let (low, high) = (UInt8(truncatingIfNeeded: end - start), UInt8((end - start) >> 8))
      stream += [end == bytes.count ? 1 : 0, low, high, ~low, ~high] + bytes[start..<end]
    }
    var (a, b) = (1, 0)
    for byte in bytes {
      a = (a + Int(byte)) % 65521
      b = (b + a) % 65521
    }
    return stream + bigEndian(b << 16 | a)
  }

  static func crc(_ bytes: [UInt8]) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }

  static func bigEndian(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }
}
