/// A cyclic checksum of 32 bits over bytes that come piece by piece, reflected, as most formats have it.
package struct CRC32 {
  /// The remainders of each byte followed by 0 to 7 zero bytes, `[8, 256]`: eight bytes are taken at once
  /// (Kounavis and Berry 2005, "slicing-by-8").
  private let table: [UInt32]
  private var remainder: UInt32 = ~0

  private init(table: [UInt32]) { self.table = table }

  /// That of zip files (PKWARE, APPNOTE.TXT 4.4.7).
  package static var zip: CRC32 { CRC32(table: zipTable) }
  /// Castagnoli's, CRC-32C (RFC 3720, appendix B.4).
  package static var castagnoli: CRC32 { CRC32(table: castagnoliTable) }

  private static let zipTable = table(0xEDB8_8320)
  private static let castagnoliTable = table(0x82F6_3B78)

  /// - Parameter polynomial: With its bits reversed.
  private static func table(_ polynomial: UInt32) -> [UInt32] {
    var table = [UInt32](repeating: 0, count: 2048)
    for byte in 0..<256 {
      var remainder = UInt32(byte)
      for _ in 0..<8 {
        let isOdd = remainder & 1 == 1
        remainder >>= 1
        if isOdd { remainder ^= polynomial }
      }
      table[byte] = remainder
    }
    for index in 256..<2048 {
      let before = table[index - 256]
      table[index] = before >> 8 ^ table[Int(before & 0xFF)]
    }
    return table
  }

  /// The checksum of all bytes so far.
  package var value: UInt32 { ~remainder }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    remainder = table.withUnsafeBufferPointer { [remainder] table in
      var remainder = remainder
      let whole = bytes.count & ~7
      for offset in stride(from: 0, to: whole, by: 8) {
        let word = UInt64(
          littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        let mixed = word ^ UInt64(remainder)
        var next: UInt32 = 0
        for place in 0..<8 {
          let byte = Int(truncatingIfNeeded: mixed >> UInt64(8 * place)) & 0xFF
          next ^= table[(7 - place) * 256 + byte]
        }
        remainder = next
      }
      for byte in bytes[whole...] {
        let index = Int(UInt8(truncatingIfNeeded: remainder) ^ byte)
        remainder = remainder >> 8 ^ table[index]
      }
      return remainder
    }
  }
}
