/// The CRC-32C checksum (Castagnoli's polynomial, RFC 3720, appendix B.4).
enum CRC32C {
  /// The remainder of each byte, with the polynomial reversed.
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { remainder, _ in
      remainder & 1 == 1 ? remainder >> 1 ^ 0x82F6_3B78 : remainder >> 1
    }
  }

  static func checksum(of bytes: [UInt8]) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }
  }

  /// The checksum as TFRecord files hold it: turned and shifted, since a checksum over data that
  /// contains checksums would be weak.
  static func masked(of bytes: [UInt8]) -> UInt32 {
    let checksum = checksum(of: bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}
