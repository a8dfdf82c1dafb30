import Testing

@testable import Files

@Suite struct CRC32Tests {
  /// One bit after another, as the definition says.
  private func plain(_ bytes: [UInt8], _ polynomial: UInt32) -> UInt32 {
    var remainder: UInt32 = ~0
    for byte in bytes {
      remainder ^= UInt32(byte)
      for _ in 0..<8 {
        remainder = remainder & 1 == 1 ? remainder >> 1 ^ polynomial : remainder >> 1
      }
    }
    return ~remainder
  }

  private let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 37 &+ 11) }

  @Test func manyBytesAtOnceGiveWhatOneBitAtATimeGives() {
    for count in 0...70 {
      for start in [0, 1, 5, 8] {
        let part = Array(bytes[start..<(start + min(count, 100 - start))])
        #expect(CRC32C.checksum(of: part) == plain(part, 0x82F6_3B78), "\(start), \(count)")
      }
    }
    // Unaligned memory.
    bytes.withUnsafeBytes {
      let expected = plain(Array(bytes[3...]), 0x82F6_3B78)
      #expect(CRC32C.checksum(of: .init(rebasing: $0[3...])) == expected)
    }
  }

  @Test func piecesGiveWhatTheWholeGives() {
    for cut in 0...bytes.count {
      var checksum = CRC32.zip
      for piece in [bytes[..<cut], bytes[cut...]] {
        piece.withUnsafeBytes { checksum.update($0) }
      }
      #expect(checksum.value == plain(bytes, 0xEDB8_8320), "\(cut)")
    }
  }

  /// The value that the catalogues of checksums give for each.
  @Test func knownValues() {
    let digits = Array("123456789".utf8)
    var checksum = CRC32.zip
    digits.withUnsafeBytes { checksum.update($0) }
    #expect(checksum.value == 0xCBF4_3926)
    #expect(CRC32C.checksum(of: digits) == 0xE306_9283)
  }
}
