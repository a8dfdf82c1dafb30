import Testing

@testable import Files

@Suite struct CRC32CTests {
  /// One bit after another, as the definition says.
  private func plain(_ bytes: [UInt8]) -> UInt32 {
    var remainder: UInt32 = ~0
    for byte in bytes {
      remainder ^= UInt32(byte)
      for _ in 0..<8 {
        remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0x82F6_3B78 : remainder >> 1
      }
    }
    return ~remainder
  }

  @Test func manyBytesAtOnceGiveWhatOneBitAtATimeGives() {
    let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 37 &+ 11) }
    for count in 0...70 {
      for start in [0, 1, 5, 8] {
        let part = Array(bytes[start..<(start + min(count, 100 - start))])
        #expect(CRC32C.checksum(of: part) == plain(part), "\(start), \(count)")
      }
    }
    // Unaligned memory.
    bytes.withUnsafeBytes {
      #expect(CRC32C.checksum(of: .init(rebasing: $0[3...])) == plain(Array(bytes[3...])))
    }
  }
}
