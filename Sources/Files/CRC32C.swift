/// The CRC-32C checksum of bytes that are there at once.
package enum CRC32C {
  package static func checksum(of bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBytes { checksum(of: $0) }
  }

  package static func checksum(of bytes: UnsafeRawBufferPointer) -> UInt32 {
    var checksum = CRC32.castagnoli
    checksum.update(bytes)
    return checksum.value
  }

  /// The checksum as TFRecord files hold it: turned and shifted, since a checksum over data that
  /// contains checksums would be weak.
  package static func masked(of bytes: [UInt8]) -> UInt32 {
    let checksum = checksum(of: bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}
