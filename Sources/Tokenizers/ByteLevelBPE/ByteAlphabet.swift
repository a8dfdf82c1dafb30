/// The characters that stand for bytes in byte-level vocabularies (Radford et al. 2019, §2.2; the
/// `bytes_to_unicode` of the GPT-2 code): bytes that Latin-1 prints stand for themselves, the others
/// for U+0100 and following.
enum ByteAlphabet {
  /// The character of each byte.
  static let scalars: [Unicode.Scalar] = {
    var unprintable: UInt32 = 0x100
    return (UInt8.min...UInt8.max).map { byte in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(byte)
      default:
        defer { unprintable += 1 }
        return Unicode.Scalar(unprintable) ?? Unicode.Scalar(byte)
      }
    }
  }()

  private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: zip(scalars, UInt8.min...UInt8.max))

  /// The bytes that a token's characters stand for; nil where one of them stands for none.
  static func bytes(of token: [UInt8]) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(token.count)
    for scalar in String(decoding: token, as: UTF8.self).unicodeScalars {
      guard let byte = bytes[scalar] else { return nil }
      result.append(byte)
    }
    return result
  }
}
