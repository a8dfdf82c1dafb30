/// The CRC-32C checksum (Castagnoli's polynomial, RFC 3720, appendix B.4).
package enum CRC32C {
  /// The remainders of each byte followed by 0 to 7 zero bytes, `[8, 256]`, with the polynomial reversed: eight
  /// bytes are taken at once (Kounavis and Berry 2005, "slicing-by-8").
  private static let table: [UInt32] = {
    var table = [UInt32](repeating: 0, count: 2048)
    for byte in 0..<256 {
      var remainder = UInt32(byte)
      for _ in 0..<8 {
        let isOdd = remainder & 1 == 1
        remainder >>= 1
        if isOdd { remainder ^= 0x82F6_3B78 }
      }
      table[byte] = remainder
    }
    for index in 256..<2048 {
      let before = table[index - 256]
      table[index] = before >> 8 ^ table[Int(before & 0xFF)]
    }
    return table
  }()

  package static func checksum(of bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBytes { checksum(of: $0) }
  }

  package static func checksum(of bytes: UnsafeRawBufferPointer) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      var remainder: UInt32 = ~0
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
      return ~remainder
    }
  }

  /// The checksum as TFRecord files hold it: turned and shifted, since a checksum over data that
  /// contains checksums would be weak.
  package static func masked(of bytes: [UInt8]) -> UInt32 {
    let checksum = checksum(of: bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}
